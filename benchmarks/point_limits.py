"""Smallest error with which a point source can be placed in an image."""

from __future__ import annotations

import numpy as np

from gammafind.sky.psf import RadialPsf

STEP = 1e-3
"""Step in pixels of numerical derivatives: small against the PSF, large against rounding."""
HALF = 25
"""Pixels on each side of the source: all that hold its light."""


def position_bound(
    psf: RadialPsf, pixel_size: float, electrons: np.ndarray, noise: float
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
        All as for `gammafind.fitting.image.point_limits.signal_to_noise`.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Mendez et al. 2014, doi:10.1086/677837
    """
    profile = _profile(psf, pixel_size, 0.0)
    slope = _profile(psf, pixel_size, STEP) - _profile(psf, pixel_size, -STEP)
    slope /= 2 * STEP
    flux = np.asarray(electrons, dtype=float)[:, None, None]
    information = np.sum((flux * slope) ** 2 / (noise**2 + flux * profile), axis=(1, 2))
    return 1 / np.sqrt(information)


def _profile(psf: RadialPsf, pixel_size: float, shift: float) -> np.ndarray:
    """PSF at the centres of pixels around a source ``shift`` pixels from the centre."""
    offset = np.arange(-HALF, HALF + 1, dtype=float)
    theta = np.hypot(offset[:, None], offset - shift) * pixel_size
    return psf(theta) * pixel_size**2
