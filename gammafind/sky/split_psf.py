"""A PSF split into a smooth part for harmonics and a near part for the pixels around a source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gammafind.sky.legendre import legendre_sum
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import averaged_profile, psf_core

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

FineChord = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""Chords to the n x n sub-pixels, shape (m, n * n), of near pixels by row and column."""


@dataclass(frozen=True, eq=False)
class Profile:
    """A function of the chord between unit vectors, tabulated in narrow bins."""

    values: np.ndarray
    scale: float

    def __call__(self, chord: np.ndarray) -> np.ndarray:
        """Values at ``chord``; the last one beyond the profile."""
        bins = np.minimum(chord * self.scale, len(self.values) - 1)
        return self.values[bins.astype(np.int32)]


@dataclass(frozen=True, eq=False)
class SplitPsf:
    """A PSF on pixels of one size, split into smooth and near part.

    Attributes
    ----------
    window : ndarray, shape (lmax + 1,)
        Legendre transform of the smooth part averaged over a pixel.
    smooth, averaged : Profile
        Smooth part, and PSF averaged over a pixel, per steradian.
    reach : float
        Chord around a source within which the near part is added.
    fine : tuple of (float, int, Profile)
        For pixels within a chord, from the largest to the smallest chord: sub-pixels per side, and
        the PSF averaged over one of them.
    """

    window: np.ndarray
    smooth: Profile
    averaged: Profile
    reach: float
    fine: tuple[tuple[float, int, Profile], ...]


@lru_cache(maxsize=32)
def split_psf(psf: RadialPsf, size: float, lmax: int) -> SplitPsf:
    """Split a PSF for pixels of side ``size`` (radians).

    The smooth part is the PSF with its multipoles tapered by ``exp(-11.5 (l/lmax)^4)``, which
    changes the wings beyond the near part by at most 1 % and 3e-6 of the peak.
    """
    ell = np.arange(lmax + 1)
    taper = np.exp(-_TAPER * (ell / lmax) ** _TAPER_POWER)
    window = psf.window(lmax) * taper * square_window(size, lmax)
    core, reach = psf_core(psf), _REACH / lmax
    scale = max(_BINS_IN_CORE / core, _BINS_IN_PIXEL / size)
    nodes = np.linspace(0, min(1.1 * reach + 2 * size, np.pi), _NODES)
    smooth = legendre_sum((2 * ell + 1) / (4 * np.pi) * window, np.cos(nodes))

    def profile(chord: np.ndarray, density: np.ndarray) -> Profile:
        middle = (np.arange(int(nodes[-1] * scale)) + 0.5) / scale
        return Profile(np.interp(middle, chord, density), scale)

    finest = 2 ** max(_LEAST_SPLIT, int(np.ceil(np.log2(_SAMPLING * size / core))))
    levels = ((4 * size, max(2, finest // 4)), (1.3 * size + core, finest))
    fine = tuple((radius, n, profile(*averaged_profile(psf, size / n))) for radius, n in levels)
    return SplitPsf(
        window,
        profile(2 * np.sin(nodes / 2), smooth),
        profile(*averaged_profile(psf, size)),
        reach,
        fine,
    )


def square_window(size: float, lmax: int) -> np.ndarray:
    """Legendre transform of the mean over squares of side ``size`` in all orientations."""
    phase = np.arange(lmax + 1)[:, None] * size / (2 * np.pi)
    angle = (np.arange(_ANGLES) + 0.5) * np.pi / (4 * _ANGLES)
    return np.mean(np.sinc(phase * np.cos(angle)) * np.sinc(phase * np.sin(angle)), axis=1)


def near_part(
    chord: np.ndarray,
    areas: np.ndarray | float,
    split: SplitPsf,
    fine_chord: FineChord,
    missing: np.ndarray | float | None = None,
) -> np.ndarray:
    """The counts of the pixels near each source minus the smooth part, for one count each.

    Parameters
    ----------
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
    smooth = split.smooth(chord) * areas
    share = split.averaged(chord)
    for position, (radius, n, profile) in enumerate(split.fine):
        inside = chord < radius
        if position + 1 < len(split.fine):
            inside &= chord >= split.fine[position + 1][0]
        row, column = np.nonzero(inside)
        share[row, column] = profile(fine_chord(row, column, n)).mean(axis=1)
    share *= areas
    if missing is not None:
        share *= ((smooth.sum(axis=1) + missing) / share.sum(axis=1))[:, None]
    return share - smooth
