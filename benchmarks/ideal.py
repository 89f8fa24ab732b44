"""The ideal matched filter: what one who knows all else can find."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from gammafind.catalogue.merging import merge_duplicates
from gammafind.fitting.photons.data import SkyData, source_size
from gammafind.fitting.photons.position import local_bases, shifted
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.search_grid import search_grid, summits
from gammafind.sky.projection import positions_of

__all__ = ["IdealPeaks", "ideal_peaks", "noise_peaks", "source_ts"]

_QUICK_SHARE = 0.6
_RINGS = (0.0, 0.04, 0.08, 0.13)
"""Radii in degrees about a source at which the maximum of its TS is looked for."""
_SPOKES = 6


@dataclass(frozen=True, eq=False)
class IdealPeaks:
    """What an ideal matched filter finds on a sky.

    Attributes
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of the data.
    ts : ndarray, shape (n,)
    source : ndarray of int, shape (n,)
        The source that a peak belongs to; -1 for peaks of the noise.
    """

    vectors: np.ndarray
    ts: np.ndarray
    source: np.ndarray


def ideal_peaks(
    data: SkyData, vectors: np.ndarray, counts: np.ndarray, *, least: float
) -> IdealPeaks:
    """Find what can be found by one who knows the sky but for the source that is looked for.

    Sources have the likelihood ratio that they reach with the background and all other sources
    known; noise has that of one more source where all of them are known.

    Parameters
    ----------
    data : SkyData
        Its model is all that is expected: background and every source.
    vectors : ndarray, shape (n, 3)
        Where the true sources are.
    counts : ndarray, shape (n, n_bands)
        Their expected counts.
    least : float
        Lowest TS of a peak.

    Returns
    -------
    IdealPeaks

    Notes
    -----
    Nobody can know as much of a real sky: this is a limit, which localisers are compared with.
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
    """Likelihood ratio of each source with all else known, and where near it this is highest.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, 3)
    counts : ndarray, shape (n, n_bands)
        These three as for `ideal_peaks`.

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
    """Peaks of the noise that look like one more source.

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
    grid = search_grid(data)
    quick = grid.quick_ts(data)
    vectors = grid.vectors(summits(grid, quick, _QUICK_SHARE * least))
    vectors = vectors[data.inside(vectors)]
    ts = scan(data, vectors).ts
    vectors, ts = vectors[ts >= least], ts[ts >= least]
    positions = positions_of(vectors, data.frame)
    kept = merge_duplicates(positions, ts, source_size(data) * u.deg)
    return vectors[kept], ts[kept]


def _offsets() -> np.ndarray:
    """Places about a source in degrees, shape (m, 2)."""
    angle = 2 * np.pi * np.arange(_SPOKES) / _SPOKES
    spokes = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = [radius * spokes for radius in _RINGS if radius]
    return np.concatenate([np.zeros((1, 2)), *rings])
