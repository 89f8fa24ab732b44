"""The part of the sky that photon lists cover: by their headers, or by where photons are."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from gammafind.errors import InputDataError, PartialSkyWarning
from gammafind.sky.fits.events import EventList
from gammafind.sky.fits.filled import FilledSky, filled_sky
from gammafind.sky.fits.selections import circles, in_field
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import vectors_in

_FINE = HealpixPixels(256, "icrs")
"""Pixels of 0.23 deg in which the photons are counted to see where they are."""


class Field:
    """What photon lists cover together.

    Attributes
    ----------
    meta : dict
        Names and checksums of the files.
    """

    def __init__(self) -> None:
        self.cuts: dict[tuple[str, ...], None] = {}
        self._inputs: dict[str, Any] = {}
        self._seen = np.zeros(_FINE.shape, dtype=bool)

    @property
    def meta(self) -> dict[str, Any]:
        """Names and checksums of the files."""
        return {"inputs": tuple(self._inputs.values())}

    def add(self, part: EventList) -> None:
        """Take note of photons."""
        self.cuts |= dict.fromkeys(part.fields)
        self._inputs |= {one["sha256"]: one for one in part.meta.get("inputs", ())}
        if not all(map(circles, part.fields)):
            self._seen[_FINE.containing(vectors_in("icrs", part.positions))] = True

    def covers(self, pixels: Sequence[Pixels]) -> tuple[np.ndarray, ...]:
        """Which pixels have their centres in the field, for each pixelisation.

        Raises
        ------
        InputDataError
            If the circles of a header have no pixel in common.

        Warns
        -----
        PartialSkyWarning
            If it is not that of a header.
        """
        filled = None
        if not all(map(circles, self.cuts)):
            filled = filled_sky(_FINE, self._seen)
            if filled is not None:
                names = ", ".join(one["name"] for one in self._inputs.values())
                warnings.warn(
                    f"{names}: the header gives no region (POS), and the photons fill only "
                    f"{filled.text}: the rest of the sky is taken as not observed",
                    PartialSkyWarning,
                    stacklevel=3,
                )
        # Bands on the same pixels share one array.
        found = {id(one): one for one in pixels}
        alike = {one: self._covers(one, filled) for one in dict.fromkeys(found.values())}
        if not any(valid.any() for valid in alike.values()):
            raise InputDataError(
                "the region of the header is empty: no pixel is in all of its circles (POS)",
                path=", ".join(one["name"] for one in self._inputs.values()) or None,
                remedy="Select the photons again, in one region.",
            )
        return tuple(alike[one] for one in pixels)

    def _covers(self, pixels: Pixels, filled: FilledSky | None) -> np.ndarray:
        parts = [in_field(cuts, pixels) for cuts in self.cuts if circles(cuts) or filled is None]
        if filled is not None:
            parts.append(filled.holds(pixels))
        return np.logical_or.reduce(parts) if parts else np.ones(pixels.shape, dtype=bool)
