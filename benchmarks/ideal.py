"""The ideal matched filter: detections if everything else is known."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from gammafind.catalogue.merging import merge_duplicates
from gammafind.fitting.photons.data import SkyData, source_size
from gammafind.fitting.photons.position import shifted
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.search_grid import SearchGrid
from gammafind.sky.projection import local_bases, positions_of

__all__ = ["IdealPeaks", "ideal_peaks", "noise_peaks", "source_ts"]

_QUICK_SHARE = 0.6
"""Share of the least TS from which peaks of the quick TS are fitted: balances time and lost
peaks."""
_RINGS = (0.0, 0.04, 0.08, 0.13)
"""Radii in degrees around a source at which the maximum of its TS is searched."""
_SPOKES = 6
"""Directions of the positions at each radius: balances accuracy and time."""


@dataclass(frozen=True, eq=False)
class IdealPeaks:
    """The detections of an ideal matched filter on a sky.

    Attributes
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of the data.
    ts : ndarray, shape (n,)
    source : ndarray of int, shape (n,)
        The source of each peak; -1 for noise peaks.
    """

    vectors: np.ndarray
    ts: np.ndarray
    source: np.ndarray


def ideal_peaks(
    data: SkyData, vectors: np.ndarray, counts: np.ndarray, *, least: float
) -> IdealPeaks:
    """Detect sources and noise peaks with perfect knowledge of everything else.

    A source gets its likelihood ratio with the background and all other sources known. A noise peak
    gets that of one more source, with all sources known.

    Parameters
    ----------
    data : SkyData
        Its model is complete: background and all sources.
    vectors : ndarray, shape (n, 3)
        True positions of the sources.
    counts : ndarray, shape (n, n_bands)
        Their expected counts.
    least : float
        Lowest TS of a peak.

    Returns
    -------
    IdealPeaks

    Notes
    -----
    A real analysis cannot know this much: this is a limit for comparison with localisers.
    """
    ts, places = source_ts(data, vectors, counts)
    noise, noise_ts = noise_peaks(data, least=least)
    found = np.flatnonzero(ts >= least)
    return IdealPeaks(
        np.concatenate([places[found], noise]),
        np.concatenate([ts[found], noise_ts]),
        np.concatenate([found, np.full(len(noise_ts), -1)]),
    )


def source_ts(
    data: SkyData, vectors: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Highest likelihood ratio near each source with everything else known, and its position.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, 3)
    counts : ndarray, shape (n, n_bands)
        All three as for `ideal_peaks`.

    Returns
    -------
    ts : ndarray, shape (n,)
    places : ndarray, shape (n, 3)
        Unit vectors.
    """
    offsets = _offsets()[:, None]
    grid = shifted(vectors, local_bases(vectors), offsets).transpose(1, 0, 2)
    ts = scan(data, grid, without=(vectors, counts)).ts
    best = ts.argmax(axis=1)
    rows = np.arange(len(vectors))
    return ts[rows, best], grid[rows, best]


def noise_peaks(data: SkyData, *, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Noise peaks that look like one more source.

    Parameters
    ----------
    data : SkyData
        As for `ideal_peaks`.
    least : float
        Lowest TS of a peak.

    Returns
    -------
    vectors : ndarray, shape (n, 3)
    ts : ndarray, shape (n,)
    """
    grid = SearchGrid(data)
    vectors = grid.vectors(grid.summits(data, _QUICK_SHARE * least)[0])
    vectors = vectors[data.inside(vectors)]
    ts = scan(data, vectors).ts
    vectors, ts = vectors[ts >= least], ts[ts >= least]
    positions = positions_of(vectors, data.frame)
    kept = merge_duplicates(positions, ts, source_size(data) * u.deg)
    return vectors[kept], ts[kept]


def _offsets() -> np.ndarray:
    """Offsets around a source in degrees, shape (m, 2)."""
    angle = 2 * np.pi * np.arange(_SPOKES) / _SPOKES
    spokes = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = [radius * spokes for radius in _RINGS if radius]
    return np.concatenate([np.zeros((1, 2)), *rings])
