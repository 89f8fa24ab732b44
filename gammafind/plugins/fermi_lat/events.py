"""Photons of a LAT response: bits of event class and event type (Pass 8)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gammafind.errors import InputDataError
from gammafind.sky.fits.events import EventList

EVENT_TYPES = {"FRONT": 1, "BACK": 2, "PSF0": 4, "PSF1": 8, "PSF2": 16, "PSF3": 32}
"""Bit of each event type."""
EVENT_CLASSES = {
    "TRANSIENT020": 16,
    "TRANSIENT010": 64,
    "SOURCE": 128,
    "CLEAN": 256,
    "ULTRACLEAN": 512,
    "ULTRACLEANVETO": 1024,
    "SOURCEVETO": 2048,
}
"""Bit of each event class; a photon has the bits of all classes that it belongs to."""


def select_response(events: EventList, irf: str, event_types: Sequence[str]) -> EventList:
    """Keep the photons that belong to a response.

    If a file does not give classes or types of its photons (all bits 0), or the class of the
    response is not in `EVENT_CLASSES`, this cut is not applied.

    Parameters
    ----------
    events : EventList
    irf : str
        Such as ``"P8R3_ULTRACLEANVETO_V3"``.
    event_types : sequence of str
        Keys of `EVENT_TYPES`.

    Returns
    -------
    EventList

    Raises
    ------
    InputDataError
        If no photon is left.

    References
    ----------
    Fermi-LAT Cicerone, "LAT data selection: event classes and event types".
    """
    name = irf.split("_")[1] if irf.count("_") >= 2 else irf
    wanted = (
        ("class", name, events.event_class, EVENT_CLASSES.get(name, 0)),
        ("type", "+".join(event_types), events.event_type, _bits(event_types)),
    )
    keep = np.ones(len(events), dtype=bool)
    cuts = []
    for kind, label, bits, mask in wanted:
        if mask and bits.any():
            keep &= (bits & np.uint32(mask)) != 0
            cuts.append(f"event {kind} {label}")
    if len(events) and not keep.any():
        raise InputDataError(
            f"none of the {len(events)} photons is of {' and '.join(cuts)}",
            path=", ".join(entry["name"] for entry in events.meta.get("inputs", ())) or None,
            remedy="Give photons of this selection, or choose the preset for these photons.",
        )
    return events.select(keep, cut=", ".join(cuts)) if cuts else events


def _bits(event_types: Sequence[str]) -> int:
    return sum(EVENT_TYPES[name] for name in event_types)
