"""Photons of a response that lists lack, since they were cut to others before."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

import numpy as np

from gammafind.errors import SelectionWarning
from gammafind.plugins.fermi_lat.events import (
    EVENT_CLASSES,
    EVENT_TYPES,
    PARTITIONS,
    release_and_class,
)
from gammafind.plugins.fermi_lat.selection import type_name
from gammafind.sky.fits.events import EventList

_MASK = re.compile(r"BIT_MASK\(EVENT_(CLASS|TYPE),(\d+),?(\w*)\) = 1:1", re.IGNORECASE)
_FEWEST = 50
"""Photons of which each type of a group is expected to be among them: the rarest, a quarter of all,
is absent from 50 by a chance of 6e-7."""
_WITHIN = {
    "SOURCE": ("TRANSIENT020", "TRANSIENT010"),
    "CLEAN": ("TRANSIENT020", "TRANSIENT010", "SOURCE"),
    "ULTRACLEAN": ("TRANSIENT020", "TRANSIENT010", "SOURCE", "CLEAN"),
    "ULTRACLEANVETO": ("TRANSIENT020", "TRANSIENT010", "SOURCE", "CLEAN", "ULTRACLEAN"),
    "SOURCEVETO": ("TRANSIENT020", "TRANSIENT010", "SOURCE"),
    "TRANSIENT010": ("TRANSIENT020",),
}
"""Event classes, and those that contain all of their photons."""


class Seen:
    """Headers and event types of the photons that were read."""

    def __init__(self) -> None:
        self.n = 0
        self.cuts: dict[tuple[str, ...], None] = {}
        self.classes = False
        self._types = np.zeros(len(EVENT_TYPES), dtype=np.int64)

    def add(self, part: EventList) -> None:
        """Take note of photons."""
        self.n += len(part)
        self.cuts |= dict.fromkeys(part.fields)
        self.classes |= bool(part.event_class.any())
        bits = np.array(list(EVENT_TYPES.values()), dtype=np.uint32)
        self._types += [np.count_nonzero(part.event_type & bit) for bit in bits]

    def types_of(self, group: Sequence[str]) -> set[str]:
        """Types of a group that photons have; empty if they are too few to say it."""
        number = dict(zip(EVENT_TYPES, self._types.tolist(), strict=True))
        enough = sum(number[name] for name in group) >= _FEWEST
        return {name for name in group if number[name]} if enough else set()


def warn_of_missing_photons(seen: Seen, *, irf: str, event_types: Sequence[str]) -> None:
    """Warn if photons were cut to a part of those of the response, or to others.

    Parameters
    ----------
    seen : Seen
        All photons that were read, before the selection of those of the response.
    irf : str
        Such as ``"P8R3_SOURCE_V3"``.
    event_types : sequence of str
        Types of all channels.

    Warns
    -----
    SelectionWarning
        If headers, or the types of the photons themselves, show it.
    """
    found = [*_other_class(seen, irf), *_other_types(seen, set(event_types))]
    if found:
        warnings.warn(
            f"the photons are of {', '.join(found)}, but the response is that of {irf} "
            f"{type_name('+'.join(event_types))}: positions, scores and fluxes will be wrong. "
            "Choose a preset with the response of the photons, or select other photons",
            SelectionWarning,
            stacklevel=4,
        )


def _other_class(seen: Seen, irf: str) -> list[str]:
    """Class of the headers, where these lack photons of the response."""
    wanted = release_and_class(irf)
    found: dict[str, None] = {}
    for cuts in seen.cuts:
        names = {name for name, bit in EVENT_CLASSES.items() if bit & (_mask(cuts, "CLASS") or 0)}
        holds = (wanted.get("class", ""), *_WITHIN.get(wanted.get("class", ""), ()))
        # Without bits of the photons themselves, a class is not picked out of a larger one.
        holds = holds if seen.classes else holds[:1]
        if names and wanted and not names & set(holds):
            found[f"class {'+'.join(sorted(names))}"] = None
    return list(found)


def _other_types(seen: Seen, wanted: set[str]) -> list[str]:
    """Types to which the photons were cut, where these are not all that are wanted."""
    headers: set[str] = set()
    for mask in (_mask(cuts, "TYPE") for cuts in seen.cuts):
        headers |= {name for name, bit in EVENT_TYPES.items() if mask is None or bit & mask}
    for group in sorted(PARTITIONS, key=lambda group: not headers & set(group)):
        needed = wanted & set(group)
        if headers and headers <= set(group):
            here, needed = headers, needed or set(group)
        elif needed or not _all_of_a_group(wanted):
            here = seen.types_of(group)
        else:
            here, needed = seen.types_of(group), set(group)
        if here and not needed <= here:
            return [f"type {type_name('+'.join(name for name in group if name in here))}"]
    return []


def _all_of_a_group(types: set[str]) -> bool:
    """Whether types together are all photons."""
    return any(set(group) <= types for group in PARTITIONS)


def _mask(cuts: Sequence[str], kind: str) -> int | None:
    """Bits of the last cut on classes or types; None if there is none."""
    matches = filter(None, map(_MASK.fullmatch, cuts))
    found = [int(match[2]) for match in matches if match[1].upper() == kind]
    return found[-1] if found else None
