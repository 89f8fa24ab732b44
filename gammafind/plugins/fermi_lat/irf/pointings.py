"""Livetime by direction and inclination, summed over the pointings of a spacecraft file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from gammafind.plugins.fermi_lat.irf.livetime import LivetimeCube, sqrt_edges, sqrt_middle
from gammafind.sky.pixels import HealpixPixels

NSIDE = 64
"""Of livetime cubes: pixels of 0.9 deg, as gtltcube makes them with ``binsz=1``."""
MOST = 60_000
"""Directions of the boresight that are summed one by one: two weeks of rows of 30 s, or all cells
of nside 64. Beyond this, rows are merged in cells: livetime exact to 0.2 %, time 30 s."""
_FINEST = 256
"""HEALPix nside of the cells of the boresight at first; halved until there are few enough."""
_ZENITH = 16
"""HEALPix nside of the cells of the zenith within one of the boresight."""
_AT_ONCE = 1_500_000
"""Pairs of a boresight and a pixel together: limits memory."""


@dataclass
class Pointings:
    """Sums of livetime over pointings; those of nearly equal directions share a row.

    Parameters
    ----------
    most : int
        Number of boresights up to which none are merged.
    """

    most: int = MOST
    _rows: np.ndarray = field(default_factory=lambda: np.zeros((0, 8)))
    """Boresight and zenith, both times the livetime; livetime; weighted livetime."""
    _nside: int = 0
    """Of the cells; 0 as long as no rows are merged."""

    def add(
        self, z: np.ndarray, zenith: np.ndarray, livetime: np.ndarray, weighted: np.ndarray
    ) -> None:
        """Add rows.

        Parameters
        ----------
        z, zenith : ndarray, shape (n, 3)
            Unit vectors of boresight and zenith, in the frame of the later cube.
        livetime, weighted : ndarray, shape (n,)
            In seconds: livetime, and livetime times its fraction of the time.
        """
        used = livetime > 0
        each = livetime[used, None]
        new = np.concatenate([z[used] * each, zenith[used] * each, each, weighted[used, None]], 1)
        self._rows = np.concatenate([self._rows, new])
        if not self._nside and len(self._rows) <= self.most:
            return
        self._nside = self._nside or _FINEST
        cells = self._merge()
        while cells > self.most and self._nside > 1:
            self._nside //= 2
            cells = self._merge()

    @property
    def livetime(self) -> float:
        """Total in seconds."""
        return float(self._rows[:, 6].sum())

    def cube(
        self,
        max_zenith: float,
        *,
        nside: int = NSIDE,
        edges: np.ndarray | None = None,
        frame: str = "icrs",
    ) -> LivetimeCube:
        """Livetime in each pixel and bin of inclination.

        Parameters
        ----------
        max_zenith : float
            In degrees; a pixel whose centre is beyond it is not observed at that moment.
        nside : int
            Of the pixels.
        edges : ndarray, shape (n + 1,), optional
            Bins of the cosine of the inclination, increasing from 0 to 1; by default the 40 of
            gtltcube.
        frame : {"icrs", "galactic"}
            Of the pixels and of the vectors.

        Returns
        -------
        LivetimeCube
        """
        edges = sqrt_edges() if edges is None else edges
        pixels = HealpixPixels(nside, frame)
        vectors = pixels.vectors.astype(np.float32)
        sums = np.zeros((2, len(vectors), len(edges) - 1))
        limit = np.float32(np.cos(np.radians(max_zenith)))
        for boresights in self._together(max(_AT_ONCE // len(vectors), 1)):
            near = boresights.in_front(vectors)
            sums[:, near] += boresights.seen(vectors[near], limit, edges)
        low, high = edges[:-1], edges[1:]
        middle = sqrt_middle(low, high) if _is_sqrt(edges) else (low + high) / 2
        return LivetimeCube(pixels, middle, *sums)

    def _merge(self) -> int:
        """Sum rows in the same cells of boresight and zenith; number of cells of boresight."""
        cell = self._cell()
        zenith = HealpixPixels(_ZENITH, "icrs")
        both = cell * zenith.shape[0] + zenith.containing(self._rows[:, 3:6])
        order = np.argsort(both, kind="stable")
        first = np.flatnonzero(np.diff(both[order], prepend=-1))
        self._rows = np.add.reduceat(self._rows[order], first, axis=0)
        return len(np.unique(cell))

    def _cell(self) -> np.ndarray:
        """Cell of the boresight of each row; all differ as long as no rows are merged."""
        if not self._nside:
            return np.arange(len(self._rows))
        return HealpixPixels(self._nside, "icrs").containing(self._rows[:, :3])

    def _together(self, step: int) -> Iterator[_Boresights]:
        """Boresights that are close to each other, up to ``step`` at a time."""
        cell = self._cell()
        _, first, cell = np.unique(cell, return_index=True, return_inverse=True)
        place = HealpixPixels(8, "icrs").containing(self._rows[first, :3])
        rank = np.empty(len(first), dtype=int)
        rank[np.argsort(place, kind="stable")] = np.arange(len(first))
        order = np.argsort(rank[cell], kind="stable")
        rows, cell = self._rows[order], rank[cell][order]
        for start in range(0, len(first), step):
            begin, end = np.searchsorted(cell, [start, start + step])
            yield _Boresights.of(rows[begin:end], cell[begin:end] - start)


@dataclass(frozen=True, eq=False)
class _Boresights:
    """Some boresights with one or several zeniths each.

    Attributes
    ----------
    z : ndarray, shape (n, 3)
    zeniths : list of ndarray, each of shape (m, 3)
        First zenith of each boresight; second zenith of those, in order, that have another; ...
    seconds : list of ndarray, each of shape (2, m)
        Livetime and weighted livetime with each zenith.
    """

    z: np.ndarray
    zeniths: list[np.ndarray]
    seconds: list[np.ndarray]

    @classmethod
    def of(cls, rows: np.ndarray, cell: np.ndarray) -> _Boresights:
        """Rows sorted by the number of their boresight, from 0."""
        number = np.bincount(cell)
        first = np.cumsum(number) - number
        many = np.argsort(-number, kind="stable")
        z = _normalised(np.add.reduceat(rows[:, :3], first, axis=0))[many]
        zeniths, seconds = [], []
        for k in range(number.max()):
            here = rows[first[many[number[many] > k]] + k]
            zeniths.append(_normalised(here[:, 3:6]).astype(np.float32))
            seconds.append(here[:, 6:].T.astype(np.float32))
        return cls(z.astype(np.float32), zeniths, seconds)

    def in_front(self, vectors: np.ndarray) -> np.ndarray:
        """Indices of the pixels that one of the boresights has in front of it."""
        middle = _normalised(self.z.sum(axis=0, dtype=float)[None])[0].astype(np.float32)
        apart = np.arccos(np.clip((self.z @ middle).min(), -1, 1))
        # The margin is above the rounding of 32 bits.
        return np.flatnonzero(vectors @ middle > np.cos(min(np.pi / 2 + apart, np.pi)) - 1e-3)

    def seen(self, vectors: np.ndarray, limit: np.float32, edges: np.ndarray) -> np.ndarray:
        """Livetime and weighted livetime, shape (2, n_pixels, n_bins)."""
        cosine = self.z @ vectors.T
        weights = np.zeros((2, *cosine.shape), dtype=np.float32)
        for zenith, livetime in zip(self.zeniths, self.seconds, strict=True):
            within = (zenith @ vectors.T >= limit) & (cosine[: len(zenith)] > 0)
            for total, each in zip(weights[:, : len(zenith)], livetime, strict=True):
                total += within * each[:, None]
        n_bins = len(edges) - 1
        place = _bin_of(cosine, edges)
        place += np.arange(len(vectors), dtype=np.int64) * n_bins
        size = len(vectors) * n_bins
        sums = [np.bincount(place.ravel(), weights=w.ravel(), minlength=size) for w in weights]
        return np.stack(sums).reshape(2, len(vectors), n_bins)


def _bin_of(cosine: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Bin of each cosine; bins of equal width in the root of 1 - cosine need no search."""
    n = len(edges) - 1
    if _is_sqrt(edges):
        from_top = np.sqrt(np.clip(1 - cosine, 0, None)) * np.float32(n)
        return n - 1 - np.minimum(from_top.astype(np.int64), n - 1)
    return np.clip(np.searchsorted(edges, cosine, side="right") - 1, 0, n - 1)


def _is_sqrt(edges: np.ndarray) -> bool:
    return np.allclose(edges, sqrt_edges(len(edges) - 1))


def _normalised(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
