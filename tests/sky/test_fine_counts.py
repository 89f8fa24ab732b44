from __future__ import annotations

import healpy as hp
import numpy as np

from gammafind.sky.fine_counts import FineCounts, summed_over
from gammafind.sky.pixels import HealpixPixels


def test_counts_are_summed_over_larger_pixels():
    values = np.random.default_rng(1).poisson(0.1, 12 * 64**2)
    sums, known = summed_over(values, np.ones(len(values), dtype=bool), 64, 16)
    expected = hp.reorder(values, r2n=True).reshape(-1, 16).sum(axis=1)
    np.testing.assert_array_equal(hp.reorder(sums, r2n=True), expected)
    assert known.all()


def test_a_larger_pixel_is_known_where_all_its_pixels_are():
    values = np.ones(12 * 32**2, dtype=int)
    valid = np.ones(len(values), dtype=bool)
    valid[hp.nest2ring(32, 7)] = False
    sums, known = summed_over(values, valid, 32, 16)
    assert np.flatnonzero(~known) == hp.nest2ring(16, 1)
    assert sums[~known] == 0


def test_the_share_of_the_background_is_that_of_the_pixel_around_a_position():
    share = np.linspace(0, 1, 12 * 4**2)
    fine = FineCounts(0, (1, 2), HealpixPixels(64), np.arange(2), np.ones(2), background=share)
    at = HealpixPixels(4).vectors
    np.testing.assert_array_equal(fine.background_share(at), share)
    plain = FineCounts(0, (1, 2), HealpixPixels(64), np.arange(2), np.ones(2))
    assert plain.background_share(at) == 1
