"""Limits of an ideal measurement of an isolated point source in an image."""

from __future__ import annotations

import numpy as np

from gammafind.sky.psf import RadialPsf

__all__ = ["position_bound", "signal_to_noise"]

_STEP = 1e-3
"""Step in pixels of numerical derivatives: small against the PSF, large against rounding."""


def signal_to_noise(
    psf: RadialPsf, pixel_size: float, electrons: np.ndarray, noise: float, *, half: int = 25
) -> np.ndarray:
    """Ratio of flux to its error, for a source of known position.

    Parameters
    ----------
    psf : RadialPsf
    pixel_size : float
        Radians.
    electrons : ndarray, shape (n,)
        Expected electrons of each source.
    noise : float
        Standard deviation of a pixel of the sky, in electrons.
    half : int
        Number of used pixels on each side of the source.

    Returns
    -------
    ndarray, shape (n,)
        ``sqrt(sum(f^2 p^2 / (n^2 + f p)))``: the photons of the source are part of the noise.
    """
    profile = _profile(psf, pixel_size, half, 0.0)
    flux = np.asarray(electrons, dtype=float)[:, None, None]
    return np.sqrt(np.sum((flux * profile) ** 2 / (noise**2 + flux * profile), axis=(1, 2)))


def position_bound(
    psf: RadialPsf, pixel_size: float, electrons: np.ndarray, noise: float, *, half: int = 25
) -> np.ndarray:
    """Smallest standard deviation of an unbiased centroid along one axis, in pixels.

    The Cramer-Rao bound of a source at the centre of a pixel. It is the same for known and unknown
    flux: by symmetry flux and position are not correlated.

    Parameters
    ----------
    psf : RadialPsf
    pixel_size : float
    electrons : ndarray, shape (n,)
    noise : float
    half : int
        All as for `signal_to_noise`.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Mendez et al. 2014, doi:10.1086/677837
    """
    profile = _profile(psf, pixel_size, half, 0.0)
    slope = _profile(psf, pixel_size, half, _STEP) - _profile(psf, pixel_size, half, -_STEP)
    slope /= 2 * _STEP
    flux = np.asarray(electrons, dtype=float)[:, None, None]
    information = np.sum((flux * slope) ** 2 / (noise**2 + flux * profile), axis=(1, 2))
    return 1 / np.sqrt(information)


def _profile(psf: RadialPsf, pixel_size: float, half: int, shift: float) -> np.ndarray:
    """PSF at the centres of pixels around a source ``shift`` pixels from the centre."""
    offset = np.arange(-half, half + 1, dtype=float)
    theta = np.hypot(offset[:, None], offset - shift) * pixel_size
    return psf(theta) * pixel_size**2
