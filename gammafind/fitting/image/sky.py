"""Sky level and noise of an image, estimated from the image itself."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.ndimage import median_filter

from gammafind.errors import InputDataError

_BOX = 64
"""Side of a box in pixels: balances the scale of the sky and the stars within a box."""
_CLIP = 3.0
"""Standard deviations from the median beyond which pixels are excluded."""
_ROUNDS = 5
"""Rounds of clipping: more change little."""
_SAMPLE = 2
"""Every second pixel in each direction is enough for the median of a box."""
_LEAST_SHARE = 0.1
"""Share of valid pixels below which a box is filled from its neighbours."""
_SMOOTHING = 3
"""Boxes per side of the median filter: removes single boxes that hold bright sources."""


def sky_and_noise(image: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level and standard deviation of the sky in each pixel.

    In each box, pixels more than three standard deviations from the median are clipped, several
    times. The level is the mode 2.5 median - 1.5 mean of the rest, or its median if the box is
    crowded. Then follow a median filter of 3 x 3 boxes and bilinear interpolation.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
    valid : ndarray of bool, shape (ny, nx)

    Returns
    -------
    sky, noise : ndarray of float32, shape (ny, nx)

    Raises
    ------
    InputDataError
        If no pixel is valid, or the sky of all boxes is constant.

    References
    ----------
    Bertin & Arnouts 1996, doi:10.1051/aas:1996164, section 5.1; Da Costa 1992, ASP Conf. 23, 90
    """
    edges = [np.linspace(0, n, max(round(n / _BOX), 1) + 1).astype(int) for n in image.shape]
    level, spread = np.full((2, *(len(e) - 1 for e in edges)), np.nan)
    for j, (low, high) in enumerate(zip(edges[0][:-1], edges[0][1:], strict=True)):
        for i, (left, right) in enumerate(zip(edges[1][:-1], edges[1][1:], strict=True)):
            part = slice(low, high, _SAMPLE), slice(left, right, _SAMPLE)
            level[j, i], spread[j, i] = _clipped(image[part][valid[part]], valid[part].size)
    if not np.isfinite(level).any():
        raise InputDataError("no part of the image has enough pixels to estimate its sky level")
    if not np.nanmax(spread) > 0:
        raise InputDataError(
            "the image has no noise: its sky is constant", remedy="Is every pixel saturated?"
        )
    middles = [(e[:-1] + e[1:] - 1) / 2 for e in edges]
    sky, noise = (_interpolated(_filled(m), middles, image.shape) for m in (level, spread))
    return sky, np.maximum(noise, np.float32(np.nanmax(spread) * 1e-3))


def _clipped(values: np.ndarray, size: int) -> tuple[float, float]:
    """Mode and standard deviation of the values within 3 standard deviations of the median."""
    values = values.astype(np.float64)
    if values.size < max(_LEAST_SHARE * size, 4):
        return np.nan, np.nan
    for _ in range(_ROUNDS):
        middle, spread = np.median(values), values.std()
        kept = values[np.abs(values - middle) <= _CLIP * spread]
        if kept.size == values.size or kept.size < 4:
            break
        values = kept
    median, mean, spread = np.median(values), values.mean(), values.std()
    crowded = abs(mean - median) > 0.3 * spread
    return (median if crowded else 2.5 * median - 1.5 * mean), spread


def _filled(mesh: np.ndarray) -> np.ndarray:
    """Mesh without gaps; each value is the median of those around it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mesh = np.where(np.isfinite(mesh), mesh, np.nanmedian(mesh))
    return median_filter(mesh, size=min(_SMOOTHING, *mesh.shape), mode="nearest")


def _interpolated(
    mesh: np.ndarray, middles: list[np.ndarray], shape: tuple[int, int]
) -> np.ndarray:
    """Bilinear interpolation between the centres of the boxes, constant beyond the last."""
    rows, columns = (_weights(at, n) for at, n in zip(middles, shape, strict=True))
    narrow = (mesh @ columns.T).astype(np.float32)
    return rows.astype(np.float32) @ narrow


def _weights(middles: np.ndarray, n: int) -> np.ndarray:
    """Matrix, shape (n, len(middles)), of linear interpolation at each pixel."""
    return np.stack([np.interp(np.arange(n), middles, unit) for unit in np.eye(len(middles))], -1)
