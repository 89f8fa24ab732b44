"""As few patches as cover the sky."""

from __future__ import annotations

import astropy.units as u
import numpy as np

from gammafind.sky.covering import covering_patches
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels

POINTS = HealpixPixels(16).vectors


def seen(grid, margin):
    return np.unique(grid.members(POINTS, 128, margin=-margin)[1])


def test_fewer_patches_cover_the_whole_sky():
    grid = PatchGrid.healpix(8)
    chosen = covering_patches(grid, 128, margin=3)
    assert len(chosen) < 500
    assert len(seen(grid[chosen], 2)) == len(POINTS)


def test_patches_that_do_not_overlap_are_all_needed():
    grid = PatchGrid.healpix(2, size=5 * u.deg)
    np.testing.assert_array_equal(covering_patches(grid, 20, margin=0), np.arange(48))
