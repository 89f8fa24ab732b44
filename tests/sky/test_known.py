"""Maps that are known in some pixels."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from gammafind.sky.known import interpolate_known
from gammafind.sky.pixels import HealpixPixels

COARSE, FINE = HealpixPixels(4), HealpixPixels(16)


def test_maps_known_everywhere_are_interpolated_between_all_pixels():
    maps = np.random.default_rng(1).random((2, 192))
    found = interpolate_known(COARSE, maps, np.ones(maps.shape, dtype=bool), FINE.vectors)
    for values, one in zip(found, maps, strict=True):
        assert_allclose(values, COARSE.interpolate(one, FINE.centres()))


def test_unknown_pixels_take_no_part_in_each_map_for_itself():
    maps = np.full((2, 192), 5.0)
    maps[0, :90] = 0
    found = interpolate_known(COARSE, maps, maps > 0, FINE.vectors)
    assert_allclose(found[0][np.isfinite(found[0])], 5)
    assert_allclose(found[1], 5)
    inside = COARSE.containing(FINE.vectors) >= 90
    assert np.array_equal(np.isfinite(found[0]), inside)


def test_without_a_position_there_is_no_value():
    vectors = np.array([[np.nan] * 3, [1, 0, 0]])
    found = interpolate_known(COARSE, np.ones((1, 192)), np.ones((1, 192), dtype=bool), vectors)
    assert np.isnan(found[0]).tolist() == [True, False]
