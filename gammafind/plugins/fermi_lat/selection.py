"""Comparison of the photon selection in file headers with a response."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

from gammafind.errors import SelectionWarning
from gammafind.plugins.fermi_lat.events import (
    EVENT_CLASSES,
    EVENT_TYPES,
    PARTITIONS,
    release_and_class,
)

_BIT_MASK = re.compile(r"BIT_MASK\(EVENT_(CLASS|TYPE),(\d+),?(\w*)\)", re.IGNORECASE)
_CUT = re.compile(r"event (class|type) ([\w+]+)")
_ALL_PHOTONS = tuple(sum(EVENT_TYPES[name] for name in part) for part in PARTITIONS)
"""Bits of both conversion types, of all PSF types, and of all types of energy resolution."""


def warn_of_other_photons(cuts: Sequence[str], *, irf: str, event_types: Sequence[str]) -> None:
    """Warn if the photon selection differs from that of the response.

    Parameters
    ----------
    cuts : sequence of str
        From headers, such as ``"BIT_MASK(EVENT_CLASS,128,P8R3) = 1:1"``, and from
        `~gammafind.plugins.fermi_lat.events.select_response`. Others are ignored.
    irf : str
        Such as ``"P8R3_SOURCE_V3"``; for other names only the types are compared.
    event_types : sequence of str
        Keys of `~gammafind.plugins.fermi_lat.events.EVENT_TYPES`.

    Warns
    -----
    SelectionWarning
        If the release, the event class or the event type differs.
    """
    wanted = {"type": type_name("+".join(event_types)), **release_and_class(irf)}
    recorded = recorded_selection(cuts)
    other = [f"{kind} {name}" for kind, name in recorded.items() if wanted.get(kind, name) != name]
    if other:
        warnings.warn(
            f"the photons are of {', '.join(other)}, but the response is that of {irf} "
            f"{wanted['type']}: positions, scores and fluxes will be wrong. Choose a preset with "
            "the response of the photons, or select other photons",
            SelectionWarning,
            stacklevel=3,
        )


def accepts_photons(
    selections: Sequence[Sequence[str]], *, irf: str, event_types: Sequence[str]
) -> bool:
    """Whether files may contain the photons of a response.

    Parameters
    ----------
    selections : sequence of sequence of str
        Cuts of each file.
    irf : str
        Such as ``"P8R3_SOURCE_V3"``.
    event_types : sequence of str
        One per channel; types of the same channel are joined with ``+``.

    Returns
    -------
    bool
        True if release and event class, as far as recorded, are those of the response, each file
        has the event types of a channel, and each channel has a file. Files of a single channel
        need not record their types.
    """
    recorded = [recorded_selection(cuts) for cuts in selections]
    names = {type_name(types) for types in event_types}
    found = {one.get("type") for one in recorded}
    same_types = found <= names | {None} if len(names) == 1 else found == names
    wanted = release_and_class(irf)
    return same_types and all(
        one.get(kind, name) == name for one in recorded for kind, name in wanted.items()
    )


def header_cuts(irf: str, event_types: str) -> tuple[str, ...]:
    """Cuts of gtselect for the photons of a response, in the format of headers.

    Parameters
    ----------
    irf : str
        Such as ``"P8R3_SOURCE_V3"``; for other names only the types are included.
    event_types : str
        Such as ``"FRONT"`` or ``"PSF2+PSF3"``.

    Returns
    -------
    tuple of str
        Such as ``"BIT_MASK(EVENT_TYPE,1,P8R3) = 1:1"``.
    """
    wanted = release_and_class(irf)
    masks = [("EVENT_CLASS", EVENT_CLASSES.get(wanted.get("class", ""), 0))]
    masks.append(("EVENT_TYPE", _bits(event_types)))
    release = f",{wanted['release']}" if wanted else ""
    return tuple(f"BIT_MASK({kind},{bits}{release}) = 1:1" for kind, bits in masks if bits)


def type_name(event_types: str) -> str:
    """Name of event types in the order of their bits; all of a group are ``FRONT+BACK``."""
    return _type_name(_bits(event_types))


def recorded_selection(cuts: Sequence[str]) -> dict[str, str]:
    """Release, class and type as far as the cuts record them; later cuts override earlier ones.

    Parameters
    ----------
    cuts : sequence of str

    Returns
    -------
    dict
        With some of ``"release"``, ``"class"`` and ``"type"``.
    """
    recorded = {}
    for cut in cuts:
        if match := _BIT_MASK.match(cut):
            kind, bits, release = match[1].lower(), int(match[2]), match[3].upper()
            recorded[kind] = _class_name(bits) if kind == "class" else _type_name(bits)
            if release:
                recorded["release"] = release
        recorded |= dict(_CUT.findall(cut))
    return recorded


def _bits(event_types: str) -> int:
    return sum(EVENT_TYPES[name] for name in event_types.split("+"))


def _class_name(bits: int) -> str:
    return {bit: name for name, bit in EVENT_CLASSES.items()}.get(bits, str(bits))


def _type_name(bits: int) -> str:
    if bits in _ALL_PHOTONS:
        bits = _ALL_PHOTONS[0]
    return "+".join(name for name, bit in EVENT_TYPES.items() if bits & bit) or str(bits)
