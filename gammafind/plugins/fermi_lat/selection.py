"""Whether the headers of maps and photon lists name the photons that a response is for."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

from gammafind.errors import SelectionWarning
from gammafind.plugins.fermi_lat.events import EVENT_CLASSES, EVENT_TYPES

__all__ = ["warn_of_other_photons"]

_BIT_MASK = re.compile(r"BIT_MASK\(EVENT_(CLASS|TYPE),(\d+),?(\w*)\)", re.IGNORECASE)
_CUT = re.compile(r"event (class|type) ([\w+]+)")
_FRONT_AND_BACK, _ALL_QUARTILES = 3, 60


def warn_of_other_photons(cuts: Sequence[str], *, irf: str, event_types: Sequence[str]) -> None:
    """Warn where the photons were selected otherwise than the response expects.

    Parameters
    ----------
    cuts : sequence of str
        From headers, such as ``"BIT_MASK(EVENT_CLASS,128,P8R3) = 1:1"``, and from
        `~gammafind.plugins.fermi_lat.events.select_response`. Others are passed over.
    irf : str
        Such as ``"P8R3_SOURCE_V3"``; of a name of another kind only the types are compared.
    event_types : sequence of str
        Keys of `~gammafind.plugins.fermi_lat.events.EVENT_TYPES`.

    Warns
    -----
    SelectionWarning
        If the release, the event class or the event type differs.
    """
    wanted = {"type": _type_name(sum(EVENT_TYPES[name] for name in event_types))}
    if irf.count("_") >= 2:
        wanted["release"], wanted["class"], *_ = irf.split("_")
    other = [
        f"{kind} {name}" for kind, name in _told(cuts).items() if wanted.get(kind, name) != name
    ]
    if other:
        warnings.warn(
            f"the photons are of {', '.join(other)}, but the response is that of "
            f"{irf} {wanted['type']}: positions, scores and fluxes will be wrong. Choose a preset "
            "with the response of the photons, or select other photons",
            SelectionWarning,
            stacklevel=3,
        )


def _told(cuts: Sequence[str]) -> dict[str, str]:
    """Release, class and type as far as the cuts tell them; later cuts go further."""
    told = {}
    for cut in cuts:
        if match := _BIT_MASK.match(cut):
            kind, bits, release = match[1].lower(), int(match[2]), match[3].upper()
            told[kind] = _class_name(bits) if kind == "class" else _type_name(bits)
            if release:
                told["release"] = release
        told |= dict(_CUT.findall(cut))
    return told


def _class_name(bits: int) -> str:
    return {bit: name for name, bit in EVENT_CLASSES.items()}.get(bits, str(bits))


def _type_name(bits: int) -> str:
    if bits == _ALL_QUARTILES:
        bits = _FRONT_AND_BACK
    return "+".join(name for name, bit in EVENT_TYPES.items() if bits & bit) or str(bits)
