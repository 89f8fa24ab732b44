"""Comparison of point sources with clumps of gas that are missing in the background model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gammafind.fitting.photons.mixture import fit_mixture
from gammafind.sky.harmonics import SIGMA_OF_FWHM, gaussian_window
from gammafind.sky.legendre import legendre_sum
from gammafind.sky.psf import RadialPsf

CLUMP_FWHM = (0.5, 1.1)
"""Full widths of clumps in degrees, as for molecular clouds and the pixels of gas surveys."""
_LEVEL = 0.3
"""Relative standard deviation of the prior on the local background level: the error of interstellar
models."""
_HEIGHT = 1.0
"""Standard deviation of the prior on the height of a clump, relative to the background."""
_NODES = 300
"""Nodes of the profile of a clump: close enough for linear interpolation."""
_REACH = 5.0
"""Standard deviations beyond the PSF at which the profile of a clump is cut off."""


@dataclass(frozen=True, eq=False)
class ClumpFit:
    """Comparison of a point source and a clump, for n detections.

    Attributes
    ----------
    point : ndarray, shape (n, n_sizes)
        2 ln of the likelihood ratio with and without a point source; the level and a clump of each
        size are free in both. 0 if the counts of the source would be negative.
    clump : ndarray, shape (n, n_sizes)
        2 ln of the likelihood ratio with and without a clump, both without a source.
    """

    point: np.ndarray
    clump: np.ndarray


def fit_clumps(
    counts: np.ndarray,
    model: np.ndarray,
    point: np.ndarray,
    clumps: list[np.ndarray],
    amplitude: np.ndarray,
) -> ClumpFit:
    """Fit each detection together with the local background level and a clump at its position.

    Parameters
    ----------
    counts, model : ndarray, shape (n, k)
        Observed counts, and expected counts of everything else, in the pixels near each detection.
    point : ndarray, shape (n, k)
        Counts of a point source of amplitude one.
    clumps : list of ndarray, shape (n, k)
        One array for each size: counts of a clump as high as the background.
    amplitude : ndarray, shape (n,)
        Start value for the amplitude of the point source.

    Returns
    -------
    ClumpFit

    Notes
    -----
    The level has a Gaussian prior of 30 %, the height of the clump one of 100 % of the background,
    which are typical errors of interstellar models. A clump has the spectrum of the background. The
    bands with the sharpest PSF distinguish sources from clumps, as in tests of extension (Lande et
    al. 2012, doi:10.1088/0004-637X/756/1/5).
    """
    none = np.zeros((len(counts), 1))
    level, _ = fit_mixture(counts, model, [model], none, np.array([_LEVEL]))
    gains = np.empty((2, len(counts), len(clumps)))
    start = np.concatenate([amplitude[:, None], none, none], axis=1)
    for i, clump in enumerate(clumps):
        both, found = fit_mixture(
            counts, model, [point, model, clump], start, np.array([np.inf, _LEVEL, _HEIGHT])
        )
        without, _ = fit_mixture(
            counts, model, [model, clump], np.zeros((len(counts), 2)), np.array([_LEVEL, _HEIGHT])
        )
        gains[0, :, i] = np.where(found[:, 0] > 0, both - without, 0)
        gains[1, :, i] = without - level
    return ClumpFit(*np.maximum(gains, 0))


@lru_cache(maxsize=32)
def clump_profile(psf: RadialPsf, fwhm: float) -> RadialPsf:
    """A Gaussian clump of a full width in degrees, convolved with the PSF."""
    sigma = np.radians(fwhm * SIGMA_OF_FWHM)
    end = min(psf.theta[-1] + _REACH * sigma, np.pi)
    theta = np.concatenate([[0], np.geomspace(sigma / 30, end, _NODES)])
    lmax = int(np.ceil(_REACH / sigma))
    window = psf.window(lmax) * gaussian_window(fwhm * SIGMA_OF_FWHM, lmax)
    density = legendre_sum((2 * np.arange(lmax + 1) + 1) * window, np.cos(theta))
    return RadialPsf(theta, np.maximum(density, 0))


def clump_height(fwhm: float) -> float:
    """Solid angle in sr that converts the height of a clump to its counts."""
    return 2 * np.pi * np.radians(fwhm * SIGMA_OF_FWHM) ** 2
