"""HEALPix maps summed over larger pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def added_up(values: np.ndarray, nside: int) -> np.ndarray:
    """Sum of a map over larger pixels; for smaller pixels each value is divided equally.

    Parameters
    ----------
    values : ndarray, shape (n_pixels,)
        RING order.
    nside : int
        Resolution of the result.

    Returns
    -------
    ndarray, shape (12 nside**2,)
        RING order.
    """
    n_pixels = 12 * nside**2
    if len(values) > n_pixels:
        return np.bincount(_larger_pixels(len(values), nside), values, minlength=n_pixels)
    import healpy as hp

    return hp.ud_grade(np.asarray(values, dtype=float), nside, power=-2)


@lru_cache(maxsize=8)
def _larger_pixels(n_pixels: int, nside: int) -> np.ndarray:
    """RING index of the pixel of ``nside`` that holds each pixel of a RING map."""
    import healpy as hp

    nested = hp.ring2nest(hp.npix2nside(n_pixels), np.arange(n_pixels))
    return hp.nest2ring(nside, nested // (n_pixels // (12 * nside**2))).astype(np.int32)
