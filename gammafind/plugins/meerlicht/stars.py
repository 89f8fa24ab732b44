"""Drawing of many stars into an image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gammafind.plugins.meerlicht.moffat import alpha_of, peak_of, radius_of

_FAINTEST = 0.05
"""Electrons per pixel at which the wings of a star are cut: far below the noise."""
_RADII = np.array([4, 6, 8, 12, 17, 24, 34, 48, 68, 96, 136, 192, 272])
"""Half sides of stamps in pixels: few sizes, so that many stars are drawn together."""
_AT_ONCE = 2_000_000
"""Pixels of stamps per step: limits memory."""


def draw_stars(
    image: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    electrons: np.ndarray,
    fwhm: np.ndarray,
    *,
    beta: float,
) -> None:
    """Add stars to an image in place.

    The Moffat profile includes the response of the pixels, so it is evaluated at the pixel centres.
    The square of a star extends to 0.05 electrons per pixel.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
    x, y : ndarray, shape (n,)
        Pixel coordinates, 0 at the centre of the first pixel; stars outside contribute too.
    electrons : ndarray, shape (n,)
        Total electrons of the star.
    fwhm : ndarray, shape (n,)
        Full width at half maximum at the star, in pixels.
    beta : float
    """
    alpha = alpha_of(fwhm, beta)
    peak = electrons * peak_of(alpha, beta)
    shining = np.flatnonzero(peak > 0)
    reach = radius_of(_FAINTEST / peak[shining], alpha[shining], beta)
    size = np.searchsorted(_RADII[:-1], reach)
    for step, radius in enumerate(_RADII.tolist()):
        chosen = shining[size == step]
        for rows in _chunks(chosen, radius):
            column, row = (np.floor(at[rows] + 0.5).astype(int) for at in (x, y))
            stamps = _stamps(x[rows] - column, y[rows] - row, peak[rows], alpha[rows], radius, beta)
            for stamp, left, low in zip(
                stamps, (column - radius).tolist(), (row - radius).tolist(), strict=True
            ):
                add_stamp(image, stamp, left, low)


def add_stamp(image: np.ndarray, stamp: np.ndarray, left: int, low: int) -> None:
    """Add a stamp to an image in place, its first pixel at column ``left`` and row ``low``."""
    (ny, nx), (height, width) = image.shape, stamp.shape
    x0, x1 = max(left, 0), min(left + width, nx)
    y0, y1 = max(low, 0), min(low + height, ny)
    if x0 < x1 and y0 < y1:
        image[y0:y1, x0:x1] += stamp[y0 - low : y1 - low, x0 - left : x1 - left]


def _chunks(rows: np.ndarray, radius: int) -> Iterator[np.ndarray]:
    n = max(1, _AT_ONCE // (2 * radius + 1) ** 2)
    for start in range(0, len(rows), n):
        yield rows[start : start + n]


def _stamps(
    dx: np.ndarray, dy: np.ndarray, peak: np.ndarray, alpha: np.ndarray, radius: int, beta: float
) -> np.ndarray:
    """Profiles around shifted centres, shape (n, 2 radius + 1, 2 radius + 1), float32."""
    offset = np.arange(-radius, radius + 1, dtype=np.float32)
    dx, dy, peak, alpha = (v.astype(np.float32)[:, None] for v in (dx, dy, peak, alpha))
    square_x, square_y = ((offset - dx) / alpha) ** 2, ((offset - dy) / alpha) ** 2
    profile = 1 + square_x[:, None, :] + square_y[:, :, None]
    np.power(profile, np.float32(-beta), out=profile)
    profile *= peak[:, :, None]
    return profile
