"""Photons of a LAT response: names and bits of event classes and event types (Pass 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gammafind.errors import NoPhotonsError, OptionError
from gammafind.sky.fits.events import EventList

PARTITIONS = (
    ("FRONT", "BACK"),
    ("PSF0", "PSF1", "PSF2", "PSF3"),
    ("EDISP0", "EDISP1", "EDISP2", "EDISP3"),
)
"""Event types in three groups: each photon is of one type of every group."""
EVENT_TYPES = {name: 1 << i for i, name in enumerate(name for part in PARTITIONS for name in part)}
"""Bit of each event type: FRONT 1, BACK 2, PSF0 to PSF3 4 to 32, EDISP0 to EDISP3 64 to 512."""
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


def split_types(event_type: str) -> tuple[str, ...]:
    """Return the event types in a text such as ``"PSF2+PSF3"``.

    Raises
    ------
    OptionError
        As for `check_types`.
    """
    types = tuple(event_type.split("+"))
    check_types(types, option=f"event_type is {event_type!r}")
    return types


def check_types(types: Sequence[str], *, option: str) -> None:
    """Check that the photons of event types can be added.

    Parameters
    ----------
    types : sequence of str
    option : str
        Start of the message of an error, such as ``"event_type is 'SIDE'"``.

    Raises
    ------
    OptionError
        If there is no type, one is unknown or occurs twice, or types of different groups of
        `PARTITIONS` are mixed: these share photons.
    """
    unknown = [name for name in types if name not in EVENT_TYPES]
    if unknown or not types:
        fault = f"there is no type {', '.join(map(repr, unknown))}" if unknown else "there is none"
    elif len(set(types)) < len(types):
        fault = "a type occurs twice"
    elif not any(set(types) <= set(part) for part in PARTITIONS):
        fault = "types of two groups share photons"
    else:
        return
    raise OptionError(
        f"{option}: {fault}",
        remedy="Give types of one group, each once: FRONT and BACK, PSF0 to PSF3, or EDISP0 to "
        "EDISP3.",
    )


def split_name(irf: str) -> tuple[str, str]:
    """Response and event types in a name of the LAT tools, such as ``P8R3_SOURCE_V3::FRONT``.

    Returns
    -------
    irf, event_types : str
        The second is empty if the name does not give it.
    """
    name, _, event_types = irf.partition("::")
    return name, event_types


def release_and_class(irf: str) -> dict[str, str]:
    """Release and class in the name of a response; empty if it is not a name of the LAT team."""
    parts = irf.split("_")
    return {"release": parts[0], "class": parts[1]} if len(parts) >= 3 else {}


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
    NoPhotonsError
        If no photon is left.

    References
    ----------
    Fermi-LAT Cicerone, "LAT data selection: event classes and event types".
    """
    kept = of_response(events, irf, event_types)
    if len(events) and not len(kept):
        raise no_photons(len(events), events.meta, irf, event_types)
    return kept


def of_response(events: EventList, irf: str, event_types: Sequence[str]) -> EventList:
    """As `select_response`, where no photon may be left."""
    name = _class_of(irf)
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
    return events.select(keep, cut=", ".join(cuts)) if cuts else events


def no_photons(
    n: int, meta: Mapping[str, Any], irf: str, event_types: Sequence[str]
) -> NoPhotonsError:
    """The error of photons of which none belong to a response."""
    return NoPhotonsError(
        f"none of the {n} photons is of event class {_class_of(irf)} and event type "
        f"{'+'.join(event_types)}",
        path=", ".join(entry["name"] for entry in meta.get("inputs", ())) or None,
        remedy="Give photons of this selection, or choose the preset for these photons.",
    )


def _class_of(irf: str) -> str:
    return release_and_class(irf).get("class", irf)


def _bits(event_types: Sequence[str]) -> int:
    return sum(EVENT_TYPES[name] for name in event_types)
