"""HEALPix maps summed over larger pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_CHUNK = 1_000_000
"""Pixels per step: limits memory."""


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
    if len(values) > n_pixels and np.issubdtype(np.asarray(values).dtype, np.integer):
        import healpy as hp

        filled = np.flatnonzero(values)
        place = parents(hp.npix2nside(len(values)), nside, filled)
        return np.bincount(place, np.asarray(values)[filled], minlength=n_pixels)
    if len(values) > n_pixels:
        return np.bincount(_larger_pixels(len(values), nside), values, minlength=n_pixels)
    import healpy as hp

    return hp.ud_grade(np.asarray(values, dtype=float), nside, power=-2)


@lru_cache(maxsize=8)
def _larger_pixels(n_pixels: int, nside: int) -> np.ndarray:
    """RING index of the pixel of ``nside`` that holds each pixel of a RING map."""
    import healpy as hp

    return parents(hp.npix2nside(n_pixels), nside, np.arange(n_pixels))


def parents(nside: int, coarse: int, index: np.ndarray) -> np.ndarray:
    """Larger RING pixel that holds each RING pixel."""
    import healpy as hp

    found = np.empty(len(index), dtype=np.int32)
    for start in range(0, len(index), _CHUNK):
        part = slice(start, start + _CHUNK)
        nested = hp.ring2nest(nside, index[part]) // (nside // coarse) ** 2
        found[part] = hp.nest2ring(coarse, nested)
    return found
