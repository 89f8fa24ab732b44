"""Fewer patches of a grid that cover the same sky."""

from __future__ import annotations

import numpy as np

from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels

_POINTS = HealpixPixels(64)
"""Points of the sky that must stay covered, 0.9 deg apart: much closer than centres of patches."""


def covering_patches(grid: PatchGrid, width: int, *, margin: float) -> np.ndarray:
    """Patches without which a part of the sky would be seen by no patch, or near a border only.

    Parameters
    ----------
    grid : PatchGrid
    width : int
        Pixels a side.
    margin : float
        Pixels from the border of a patch within which it does not count.

    Returns
    -------
    ndarray of int
        Indices, increasing: 454 of the 768 patches of `PatchGrid.healpix`, for three pixels of 128.
    """
    points = HealpixPixels(_POINTS.nside, grid.frame).vectors
    patch, point, _, _ = grid.members(points, width, margin=-margin)
    of_patch = np.split(point, np.searchsorted(patch, np.arange(1, len(grid))))
    seen_by = np.bincount(point, minlength=len(points))
    kept = np.ones(len(grid), dtype=bool)
    for index, inside in enumerate(of_patch):
        if len(inside) and seen_by[inside].min() > 1:
            seen_by[inside] -= 1
            kept[index] = False
    return np.flatnonzero(kept)
