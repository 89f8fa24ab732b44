from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from gammafind.plugins.unet.search import mean_scores
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.projection import vectors_in

GRID = PatchGrid(np.array([10.0, 14.0, 40.0]), np.zeros(3), frame="galactic")
WIDTH = 32


def at(lon, lat) -> np.ndarray:
    return vectors_in("galactic", SkyCoord(lon, lat, unit="deg", frame="galactic"))


def maps(*levels) -> np.ndarray:
    return np.stack([np.full((WIDTH, WIDTH), level, dtype=np.float16) for level in levels])


def test_scores_are_averaged_over_the_patches_that_see_a_source():
    vectors = at([12.0, 40.0, 6.5], [0.0, 1.0, 0.0])
    found = mean_scores(maps(1.0, 3.0, 5.0), GRID, vectors, np.array([9.0, 9.0, 9.0]))
    assert_allclose(found, [2.0, 5.0, 1.0])


def test_the_highest_score_within_a_pixel_counts():
    score_maps = maps(-20.0, -20.0, -2.0)
    patch, _, x, y = GRID.members(at([40.5], [0.5]), WIDTH)
    row, column = round(y[0]), round(x[0])
    score_maps[patch[0], row + 1, column - 1] = 4.0
    score_maps[patch[0], row + 2, column] = 7.0
    assert_allclose(mean_scores(score_maps, GRID, at([40.5], [0.5]), np.zeros(1)), 4.0)


def test_scores_have_a_floor_and_borders_do_not_count():
    beside = GRID.centres[2].directional_offset_by(90 * u.deg, 6.2 * u.deg)
    vectors = vectors_in("galactic", SkyCoord([beside, SkyCoord(GRID.centres[0])]))
    found = mean_scores(maps(-50.0, -50.0, -50.0), GRID, vectors, np.array([2.5, 2.5]))
    assert_allclose(found, [2.5, -8.0])
