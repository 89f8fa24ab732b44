"""The expected counts of the sources of a model, each in the pixels near it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from gammafind.fitting.photons.data import BandData
from gammafind.sky.psf_stamps import fractions_at, pixels_near

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
    _nearest: int = 0
    _level: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    _place: list[np.ndarray] = field(default_factory=list)
    _share: list[np.ndarray] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self._place)

    def add(self, vectors: np.ndarray, counts: np.ndarray) -> None:
        """Add sources at some positions with about these counts."""
        if not len(vectors):
            return
        self._nearest = self._counted(_NEAR, vectors)
        levels = _levels(counts)
        place, share = self._computed(vectors, levels)
        self._place += place
        self._share += share
        self._level = np.concatenate([self._level, levels])

    def keep(self, chosen: np.ndarray) -> None:
        """Keep only the chosen sources."""
        self._place = [self._place[i] for i in chosen]
        self._share = [self._share[i] for i in chosen]
        self._level = self._level[chosen]

    def grow(self, vectors: np.ndarray, counts: np.ndarray) -> None:
        """Extend the pixels of sources that became so bright that they need more."""
        levels = _levels(counts)
        rows = np.flatnonzero(levels > self._level)
        self._level[rows] = levels[rows]
        for row, place, share in zip(
            rows, *self._computed(vectors[rows], levels[rows]), strict=True
        ):
            self._place[row], self._share[row] = place, share

    def all(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places in the arrays of the band, and counts of the sources there; places may repeat."""
        if not len(self):
            return np.zeros(0, dtype=int), np.zeros(0)
        each = np.repeat(counts, [len(place) for place in self._place])
        return np.concatenate(self._place), np.concatenate(self._share) * each

    def near(self) -> tuple[np.ndarray, sparse.csc_array]:
        """Places near the sources, increasing, and the share of each source there.

        Shape (n_places, n_sources).
        """
        sizes = [min(self._nearest, len(place)) for place in self._place]
        places = (one[: self._nearest] for one in self._place)
        shares = (one[: self._nearest] for one in self._share)
        place = np.concatenate([np.zeros(0, dtype=np.int32), *places])
        share = np.concatenate([np.zeros(0, dtype=np.float32), *shares])
        touched, row = np.unique(place, return_inverse=True)
        start = np.concatenate([[0], np.cumsum(sizes)])
        return touched, sparse.csc_array((share, row, start), shape=(len(touched), len(self)))

    def _counted(self, containment: float, vectors: np.ndarray) -> int:
        """Number of pixels that hold a share of the counts, the same everywhere."""
        band = self.band
        return pixels_near(vectors[:1], band.pixels, band.psf, containment=containment).shape[1]

    def _computed(
        self, vectors: np.ndarray, levels: np.ndarray
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Places and shares of sources, nearest pixels first."""
        places, shares = ([np.zeros(0)] * len(vectors) for _ in range(2))
        for level in np.unique(levels):
            rows = np.flatnonzero(levels == level)
            count = self._counted(_LEVELS[level], vectors)
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


def _levels(counts: np.ndarray) -> np.ndarray:
    """Which of the levels each source needs, for its counts in the band."""
    level = np.searchsorted(_LEVELS, 1 - _OMITTED / np.maximum(counts, 1e-9))
    return np.minimum(level, len(_LEVELS) - 1)
