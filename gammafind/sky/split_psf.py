"""A PSF split into a smooth part for harmonics and a near part for the pixels around a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gammafind.sky.legendre import legendre_sum
from gammafind.sky.psf import RadialPsf, windows
from gammafind.sky.psf_stamps import averaged_profile, psf_core
from gammafind.sky.source_psfs import SourcePsfs

_SUB_PIXELS = 4_000_000
"""Parts of pixels that are computed together: limits memory to a few hundred megabytes."""
_REACH = 24.6
"""Radius of the near part times the highest multipole: balances speed and the error beyond it."""
_TAPER, _TAPER_POWER = 11.5, 4
"""Strength and power of the taper of multipoles: balances ringing and the size of the near part."""
_ANGLES = 16
"""Orientations of the square in the mean over a pixel: enough for a smooth window."""
_NODES = 1500
"""Distances at which the smooth part is summed: close enough for linear interpolation."""
_BINS_IN_CORE, _BINS_IN_PIXEL = 200, 50
"""Bins of a profile per core of the PSF and per pixel: so narrow that centres can be used."""
_SAMPLING, _LEAST_SPLIT = 1.25, 2
"""Sub-pixels per core of the PSF, and log2 of the fewest: balance accuracy and time."""

_MOVED = 2e-3
"""Largest error of a transform that is a sum of others: below the errors of PSFs."""

FineChord = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""Chords to the n x n sub-pixels, shape (m, n * n), of near pixels by row and column."""


@dataclass(frozen=True, eq=False)
class Profiles:
    """Functions of the chord between unit vectors, tabulated in narrow bins.

    Attributes
    ----------
    values : ndarray, shape (n_kinds, n_bins)
    scale : float
        Bins per unit of the chord.
    """

    values: np.ndarray
    scale: float

    def __call__(self, kind: np.ndarray, chord: np.ndarray) -> np.ndarray:
        """Values of the function ``kind`` at ``chord``; the last one beyond the profile."""
        n_bins = self.values.shape[1]
        bins = np.minimum(chord * self.scale, n_bins - 1).astype(np.int32)
        bins += np.asarray(kind * n_bins, dtype=np.int32)
        return self.values.ravel()[bins]


@dataclass(frozen=True, eq=False)
class SplitPsf:
    """PSFs and their mixtures on pixels of one size, split into smooth and near part.

    Attributes
    ----------
    windows : ndarray, shape (n_windows, lmax + 1)
        Legendre transforms, of which the smooth parts averaged over a pixel are sums.
    shares : ndarray, shape (n_kinds, n_windows)
        Share of each transform in the smooth part of each kind of mixture.
    smooth, averaged : Profiles
        Smooth part, and PSF averaged over a pixel, per steradian, of each kind of mixture.
    reach : float
        Chord around a source within which the near part is added.
    fine : tuple of (float, int, Profiles)
        For pixels within a chord, from the largest to the smallest chord: sub-pixels per side, and
        the PSF averaged over one of them.
    """

    windows: np.ndarray
    shares: np.ndarray
    smooth: Profiles
    averaged: Profiles
    reach: float
    fine: tuple[tuple[float, int, Profiles], ...]


def split_psfs(psfs: SourcePsfs, size: float, lmax: int) -> SplitPsf:
    """Split PSFs for pixels of side ``size`` (radians).

    The smooth part is the PSF with its multipoles tapered by ``exp(-11.5 (l/lmax)^4)``, which
    changes the wings beyond the near part by at most 1 % and 3e-6 of the peak. Several PSFs share
    the least number of transforms that moves at most 0.2 % of the counts there.
    """
    return _split(psfs.nodes, tuple(map(tuple, psfs.mixtures)), size, lmax)


@lru_cache(maxsize=32)
def _split(
    nodes: tuple[RadialPsf, ...], mixtures: tuple[tuple[float, ...], ...], size: float, lmax: int
) -> SplitPsf:
    ell = np.arange(lmax + 1)
    taper = np.exp(-_TAPER * (ell / lmax) ** _TAPER_POWER)
    of_nodes = windows(nodes, lmax) * taper * square_window(size, lmax)
    shares, transforms = _common(of_nodes)
    shares = np.array(mixtures) @ shares
    core, reach = min(psf_core(psf) for psf in nodes), _REACH / lmax
    scale = max(_BINS_IN_CORE / core, _BINS_IN_PIXEL / size)
    angles = np.linspace(0, min(1.1 * reach + 2 * size, np.pi), _NODES)
    smooth = legendre_sum((2 * ell + 1) / (4 * np.pi) * transforms, np.cos(angles))
    middle = (np.arange(int(angles[-1] * scale)) + 0.5) / scale

    def profiles(
        weights: np.ndarray, chord_and_density: Iterable[tuple[np.ndarray, np.ndarray]]
    ) -> Profiles:
        known = np.array([np.interp(middle, *each) for each in chord_and_density])
        return Profiles(weights @ known, scale)

    def averaged(width: float) -> Profiles:
        return profiles(np.array(mixtures), (averaged_profile(psf, width) for psf in nodes))

    finest = 2 ** max(_LEAST_SPLIT, int(np.ceil(np.log2(_SAMPLING * size / core))))
    levels = ((4 * size, max(2, finest // 4)), (1.3 * size + core, finest))
    return SplitPsf(
        transforms,
        shares,
        profiles(shares, ((2 * np.sin(angles / 2), density) for density in smooth)),
        averaged(size),
        reach,
        tuple((radius, n, averaged(size / n)) for radius, n in levels),
    )


def _common(transforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares, shape (n, k), of the fewest transforms, shape (k, lmax + 1), that give all."""
    if len(transforms) == 1:
        return np.ones((1, 1)), transforms
    left, sizes, common = np.linalg.svd(transforms, full_matrices=False)
    shares = left * sizes
    for k in range(1, len(transforms) + 1):
        if np.abs(shares[:, :k] @ common[:k] - transforms).max() < _MOVED:
            break
    return shares[:, :k], common[:k]


def square_window(size: float, lmax: int) -> np.ndarray:
    """Legendre transform of the mean over squares of side ``size`` in all orientations."""
    phase = np.arange(lmax + 1)[:, None] * size / (2 * np.pi)
    angle = (np.arange(_ANGLES) + 0.5) * np.pi / (4 * _ANGLES)
    return np.mean(np.sinc(phase * np.cos(angle)) * np.sinc(phase * np.sin(angle)), axis=1)


def near_part(
    kind: np.ndarray,
    chord: np.ndarray,
    areas: np.ndarray | float,
    split: SplitPsf,
    fine_chord: FineChord,
    missing: np.ndarray | float | None = None,
) -> np.ndarray:
    """The counts of the pixels near each source minus the smooth part, for one count each.

    Parameters
    ----------
    kind : ndarray of int, shape (n,)
        Kind of mixture of each source.
    chord : ndarray, shape (n, k)
        Length of the chord between each source and the centres of the pixels near it.
    areas : ndarray, shape (n, k) or scalar
        Solid angles of the pixels in steradians.
    split : SplitPsf
    fine_chord : callable
    missing : ndarray, shape (n,), optional
        Sum of the near part; the PSF in the pixels is scaled to it. By default nothing is scaled.

    Returns
    -------
    ndarray, shape (n, k)
    """
    smooth = split.smooth(kind[:, None], chord) * areas
    share = split.averaged(kind[:, None], chord)
    for position, (radius, n, profile) in enumerate(split.fine):
        inside = chord < radius
        if position + 1 < len(split.fine):
            inside &= chord >= split.fine[position + 1][0]
        rows, columns = np.nonzero(inside)
        n_parts = len(rows) * n**2 // _SUB_PIXELS + 1
        for part in np.array_split(np.arange(len(rows)), n_parts):
            row, column = rows[part], columns[part]
            fine = profile(kind[row, None], fine_chord(row, column, n))
            share[row, column] = fine.mean(axis=1)
    share *= areas
    if missing is not None:
        share *= ((smooth.sum(axis=1) + missing) / share.sum(axis=1))[:, None]
    return share - smooth
