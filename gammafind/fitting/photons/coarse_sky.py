"""One band summed over larger pixels, on which the background is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gammafind.fitting.photons.data import BandData
from gammafind.sky.degrade import parents
from gammafind.sky.pixels import HealpixPixels, Pixels

_NSIDE = 128
"""Resolution at which a background is fitted: coarser pixels save time and lose nothing."""
_CHUNK = 1_000_000
"""Pixels per step: limits memory."""


@dataclass(frozen=True, eq=False)
class CoarseBand:
    """Sums of a band over larger pixels, or the pixels of an image themselves.

    Attributes
    ----------
    counts : ndarray, shape (n_cells,)
    components : ndarray, shape (n_cells, n_components)
        Expected counts of the background components with norm one, in valid pixels.
    number : ndarray, shape (n_cells,)
        Valid pixels in each cell.
    good : ndarray of bool, shape (n_cells,)
        Where there are valid pixels and background.
    pixels : Pixels
        Of the cells.
    cell : ndarray of int, shape (n_held,), or None
        Cell of each place of the band; None if it is the place itself.
    """

    counts: np.ndarray
    components: np.ndarray
    number: np.ndarray
    good: np.ndarray
    pixels: Pixels
    cell: np.ndarray | None

    @classmethod
    def of(cls, band: BandData, components: list[np.ndarray]) -> CoarseBand:
        """Sum a band and its background components."""
        pixels, cell = _cells(band)
        n_cells = int(np.prod(pixels.shape))
        seen, *parts = (
            _summed(values, band.valid, cell, n_cells) for values in (band.counts, *components)
        )
        parts = np.stack(parts, axis=1)
        number = np.bincount(np.flatnonzero(band.valid) if cell is None else cell[band.valid])
        number = np.pad(number, (0, n_cells - len(number)))
        return cls(seen, parts, number, parts.sum(axis=1) > 0, pixels, cell)

    def summed(self, place: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Sum of values at some places of the band, shape (n_cells,)."""
        cell = place if self.cell is None else self.cell[place]
        return np.bincount(cell, values, minlength=len(self.counts))

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Value of the cell of each place of the band."""
        return values if self.cell is None else values[self.cell]


def _cells(band: BandData) -> tuple[Pixels, np.ndarray | None]:
    """The larger pixels, and the one that holds each place of a band."""
    pixels = band.pixels
    if not isinstance(pixels, HealpixPixels):
        return pixels, None
    coarse = HealpixPixels(min(pixels.nside, _NSIDE), pixels.frame)
    if band.held is not None:
        return coarse, np.append(parents(pixels.nside, coarse.nside, band.held), 0)
    if coarse == pixels:
        return coarse, None
    return coarse, _all_parents(pixels.nside, coarse.nside)


@lru_cache(maxsize=3)
def _all_parents(nside: int, coarse: int) -> np.ndarray:
    return parents(nside, coarse, np.arange(12 * nside**2, dtype=np.int32))


def _summed(
    values: np.ndarray, valid: np.ndarray, cell: np.ndarray | None, n_cells: int
) -> np.ndarray:
    """Sum of a map over the valid pixels of each cell."""
    if cell is None:
        return np.where(valid, values, 0).astype(float)
    total = np.zeros(n_cells)
    for start in range(0, len(values), _CHUNK):
        part = slice(start, start + _CHUNK)
        total += np.bincount(cell[part], values[part] * valid[part], minlength=n_cells)
    return total
