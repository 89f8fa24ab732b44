"""Limit of an ideal measurement of an isolated point source in an image."""

from __future__ import annotations

import numpy as np

from gammafind.sky.psf import RadialPsf


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
    offset = np.arange(-half, half + 1, dtype=float)
    profile = psf(np.hypot(offset[:, None], offset) * pixel_size) * pixel_size**2
    flux = np.asarray(electrons, dtype=float)[:, None, None]
    return np.sqrt(np.sum((flux * profile) ** 2 / (noise**2 + flux * profile), axis=(1, 2)))
