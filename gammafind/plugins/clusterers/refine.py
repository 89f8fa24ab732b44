"""Sub-pixel positions."""

from __future__ import annotations

import numpy as np

_OFFSETS = np.arange(-1, 2)
_X, _Y = (array.ravel() for array in np.meshgrid(_OFFSETS, _OFFSETS))
_DESIGN = np.stack([np.ones(9), _X, _Y, _X * _X, _X * _Y, _Y * _Y], axis=1)
_SOLVE = np.linalg.pinv(_DESIGN)


def quadratic_peak(image: np.ndarray, row: int, column: int) -> tuple[float, float]:
    """Vertex of the quadratic surface fitted to the 3 x 3 pixels around a peak.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
    row, column : int
        Peak pixel.

    Returns
    -------
    tuple of float
        ``y, x`` of the vertex, within half a pixel of the peak; the peak pixel itself if the
        surface has no maximum, and at the border of the image.
    """
    n_rows, n_columns = image.shape
    if not (0 < row < n_rows - 1 and 0 < column < n_columns - 1):
        return float(row), float(column)
    box = image[row - 1 : row + 2, column - 1 : column + 2]
    scale = np.abs(box).max() or 1.0
    _, slope_x, slope_y, curve_xx, curve_xy, curve_yy = _SOLVE @ (box.ravel() / scale)
    determinant = 4 * curve_xx * curve_yy - curve_xy**2
    if not (curve_xx < 0 and determinant > 0):
        return float(row), float(column)
    shift_x = (curve_xy * slope_y - 2 * curve_yy * slope_x) / determinant
    shift_y = (curve_xy * slope_x - 2 * curve_xx * slope_y) / determinant
    return row + float(np.clip(shift_y, -0.5, 0.5)), column + float(np.clip(shift_x, -0.5, 0.5))


def centroid(image: np.ndarray, row: int, column: int, radius: float) -> tuple[float, float]:
    """Centroid of the positive values within ``radius`` pixels of a pixel.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
    row, column : int
    radius : float
        In pixels.

    Returns
    -------
    tuple of float
        ``y, x``; the pixel itself if no value is positive.
    """
    reach = int(np.ceil(radius))
    top, left = max(row - reach, 0), max(column - reach, 0)
    box = np.clip(image[top : row + reach + 1, left : column + reach + 1], 0, None)
    y, x = np.indices(box.shape)
    y, x = y + top, x + left
    weight = np.where((y - row) ** 2 + (x - column) ** 2 <= radius**2, box, 0)
    total = weight.sum()
    if total == 0:
        return float(row), float(column)
    return float((weight * y).sum() / total), float((weight * x).sum() / total)
