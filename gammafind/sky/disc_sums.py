"""Sums of maps over discs around positions, pixel by pixel, so that counts stay whole numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gammafind.sky.pixels import HealpixPixels, Pixels

_CHUNK = 20_000
"""Discs per step: limits memory."""


def disc_sums(values: np.ndarray, pixels: Pixels, vectors: np.ndarray, radius: float) -> np.ndarray:
    """Sum maps over the pixels whose centres are within a radius of each position.

    Parameters
    ----------
    values : ndarray, shape (n_maps, n_pixels)
    pixels : Pixels
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of ``pixels``.
    radius : float
        In radians, less than half a circle.

    Returns
    -------
    ndarray, shape (n_maps, n)

    Notes
    -----
    A disc is a piece of each ring of HEALPix pixels that it crosses, and the sum over a piece is
    the difference of two sums from the first pixel on.
    """
    parts = np.array_split(vectors, len(vectors) // _CHUNK + 1)
    if isinstance(pixels, HealpixPixels):
        below = np.zeros((len(values), values.shape[1] + 1))
        np.cumsum(values, axis=1, out=below[:, 1:])
        return np.concatenate(
            [_of_rings(below, pixels.nside, part, radius) for part in parts], axis=1
        )
    return np.concatenate([_of_image(values, pixels, part, radius) for part in parts], axis=1)


def _of_rings(below: np.ndarray, nside: int, vectors: np.ndarray, radius: float) -> np.ndarray:
    colatitudes, starts, sizes, shifts = _rings(nside)
    theta = np.arctan2(np.hypot(vectors[:, 0], vectors[:, 1]), vectors[:, 2])
    phi = np.arctan2(vectors[:, 1], vectors[:, 0])
    first = np.searchsorted(colatitudes, theta - radius)
    last = np.searchsorted(colatitudes, theta + radius, side="right")
    total = np.zeros((len(below), len(vectors)))
    for step in range(int((last - first).max(initial=0))):
        rows = np.flatnonzero(first + step < last)
        ring = first[rows] + step
        across = np.sin(colatitudes[ring]) * np.sin(theta[rows])
        along = np.cos(radius) - np.cos(colatitudes[ring]) * np.cos(theta[rows])
        cosine = np.divide(along, across, out=np.full(len(rows), -1.0), where=across > 0)
        half = np.arccos(np.clip(cosine, -1, 1))
        width = 2 * np.pi / sizes[ring]
        low = np.ceil((phi[rows] - half) / width - shifts[ring]).astype(int)
        high = np.floor((phi[rows] + half) / width - shifts[ring]).astype(int)
        number = np.where(cosine <= 1, np.clip(high - low + 1, 0, sizes[ring]), 0)
        low %= sizes[ring]
        beyond = np.maximum(low + number - sizes[ring], 0)
        begin = starts[ring]
        total[:, rows] += (
            below[:, begin + low + number - beyond]
            - below[:, begin + low]
            + below[:, begin + beyond]
            - below[:, begin]
        )
    return total


@lru_cache(maxsize=8)
def _rings(nside: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Colatitude, first pixel, number of pixels and place of the first pixel of each ring."""
    import healpy as hp

    ring = np.arange(1, 4 * nside)
    sizes = 4 * np.minimum(np.minimum(ring, nside), 4 * nside - ring)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    colatitudes, phi = hp.pix2ang(nside, starts)
    return colatitudes, starts, sizes, phi / (2 * np.pi / sizes)


def _of_image(values: np.ndarray, pixels: Pixels, vectors: np.ndarray, radius: float) -> np.ndarray:
    lists = pixels.tree.query_ball_point(vectors, 2 * np.sin(radius / 2))
    sizes = np.array([len(one) for one in lists], dtype=int)
    index = np.concatenate([np.asarray(one, dtype=int) for one in lists])
    disc = np.repeat(np.arange(len(vectors)), sizes)
    return np.stack([np.bincount(disc, each[index], minlength=len(vectors)) for each in values])
