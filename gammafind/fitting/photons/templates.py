"""The expected counts of the sources of a model, each in the pixels near it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from gammafind.fitting.photons.data import BandData
from gammafind.sky.psf_stamps import Stamps, fractions_at, pixels_near

_NEAR = 0.9
"""Share of the counts within the pixels of the joint fit: balances accuracy and time."""
_LEVELS = np.array([0.95, 0.99, 0.998, 0.9998])
"""Shares of the counts in all pixels of a source: the least that omits at most half a count."""
_OMITTED = 0.5
"""Counts of a source that may be omitted: few compared with the noise of its background."""
_CHUNK = 100_000
"""Pairs of source and pixel per step: limits memory."""


@dataclass
class Templates:
    """Shares of the counts of sources in the pixels of one band.

    Parameters
    ----------
    band : BandData
        Its geometry is used, and which pixels are valid.
    """

    band: BandData
    _level: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    _size: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    _place: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    _share: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    def __len__(self) -> int:
        return len(self._size)

    def add(self, vectors: np.ndarray, counts: np.ndarray) -> None:
        """Add sources at some positions with about these counts."""
        if not len(vectors):
            return
        levels = _levels(counts)
        place, share = self._computed(vectors, levels)
        self._set([*self._each(self._place), *place], [*self._each(self._share), *share])
        self._level = np.concatenate([self._level, levels])

    def keep(self, chosen: np.ndarray) -> None:
        """Keep only the chosen sources."""
        place, share = self._each(self._place), self._each(self._share)
        self._set([place[i] for i in chosen], [share[i] for i in chosen])
        self._level = self._level[chosen]

    def grow(self, vectors: np.ndarray, counts: np.ndarray) -> None:
        """Extend the pixels of sources that became so bright that they need more."""
        levels = _levels(counts)
        rows = np.flatnonzero(levels > self._level)
        if not len(rows):
            return
        self._level[rows] = levels[rows]
        places, shares = self._each(self._place), self._each(self._share)
        for row, place, share in zip(
            rows, *self._computed(vectors[rows], levels[rows]), strict=True
        ):
            places[row], shares[row] = place, share
        self._set(places, shares)

    def all(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places in the arrays of the band, and counts of the sources there; places may repeat."""
        return self._place, self._share * np.repeat(counts, self._size)

    def near(self) -> tuple[np.ndarray, sparse.csc_array]:
        """Places near the sources, increasing, and the share of each source there.

        Shape (n_places, n_sources).
        """
        sizes = np.minimum(self._counted(_NEAR), self._size)
        number = np.arange(len(self._place)) - np.repeat(self._start, self._size)
        first = number < np.repeat(sizes, self._size)
        place, share = self._place[first], self._share[first]
        touched, row = distinct(place, len(self.band.counts))
        start = np.concatenate([[0], np.cumsum(sizes)])
        return touched, sparse.csc_array((share, row[place], start), (len(touched), len(self)))

    def stamps(self, rows: np.ndarray, containment: float) -> Stamps:
        """Places in the arrays of the band near some sources, and the shares of the counts there.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
        containment : float
            Minimum share of the counts in the places, at most 0.95.
        """
        index = self._start[rows, None] + np.arange(self._counted(containment))
        return Stamps(self._place[index], self._share[index].astype(float))

    @property
    def _start(self) -> np.ndarray:
        return np.cumsum(self._size) - self._size

    def _each(self, values: np.ndarray) -> list[np.ndarray]:
        """Values of each source."""
        return np.split(values, self._start[1:]) if len(self) else []

    def _set(self, places: list[np.ndarray], shares: list[np.ndarray]) -> None:
        self._size = np.array([len(place) for place in places], dtype=int)
        self._place = np.concatenate([np.zeros(0, dtype=np.int32), *places])
        self._share = np.concatenate([np.zeros(0, dtype=np.float32), *shares])

    def _counted(self, containment: float) -> int:
        """Number of pixels that hold a share of the counts, the same everywhere."""
        band, pole = self.band, np.array([[0.0, 0.0, 1.0]])
        return pixels_near(pole, band.pixels, band.psf, containment=containment).shape[1]

    def _computed(
        self, vectors: np.ndarray, levels: np.ndarray
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Places and shares of sources, nearest pixels first."""
        places, shares = ([np.zeros(0)] * len(vectors) for _ in range(2))
        for level in np.unique(levels):
            rows = np.flatnonzero(levels == level)
            count = self._counted(_LEVELS[level])
            for part in np.array_split(rows, len(rows) * count // _CHUNK + 1):
                for row, place, share in zip(
                    part, *self._stamps(vectors[part], level), strict=True
                ):
                    places[row], shares[row] = place, share
        return places, shares

    def _stamps(self, vectors: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray]:
        band = self.band
        pixel = pixels_near(vectors, band.pixels, band.psf, containment=_LEVELS[level])
        share = fractions_at(vectors, pixel, band.pixels, band.psf)
        place = band.places(pixel)
        return place.astype(np.int32), (share * band.valid[place]).astype(np.float32)


def distinct(place: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct ones of some places, increasing, and the number of each of ``size`` among them.

    For many places this is faster than sorting them.
    """
    there = np.zeros(size, dtype=bool)
    there[place] = True
    return np.flatnonzero(there), np.cumsum(there, dtype=np.int32) - 1


def _levels(counts: np.ndarray) -> np.ndarray:
    """Which of the levels each source needs, for its counts in the band."""
    level = np.searchsorted(_LEVELS, 1 - _OMITTED / np.maximum(counts, 1e-9))
    return np.minimum(level, len(_LEVELS) - 1)
