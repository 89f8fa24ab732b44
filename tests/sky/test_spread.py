from __future__ import annotations

import astropy.units as u
import numpy as np

from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.scatter import scatter_counts
from gammafind.sky.spread import spread_over


def test_what_is_spread_is_what_photons_at_random_places_give_on_average():
    rng, grid = np.random.default_rng(3), PatchGrid.healpix(1, size=40 * u.deg)
    expected = 3000 * rng.random(12 * 16**2)
    mean = spread_over(16, grid, 8, keep=False).of(expected)
    drawn = scatter_counts(rng.poisson(expected), 16, grid, 8, rng=rng)
    assert abs((drawn / mean - 1).mean()) < 0.002
    assert (drawn / mean - 1).std() < 0.05


def test_a_patch_has_the_pixels_that_reach_into_it():
    grid = PatchGrid.healpix(1, size=40 * u.deg)
    spread = spread_over(16, grid, 8, keep=False)
    values = np.random.default_rng(1).random(12 * 16**2)
    for index in (0, 5):
        pixel, shares = spread.patch(index)
        assert len(set(pixel)) == len(pixel) < 12 * 16**2
        np.testing.assert_allclose(
            (shares @ values[pixel]).reshape(8, 8), spread.of(values)[index], rtol=1e-5
        )


def test_a_pixel_within_a_patch_is_shared_out_whole():
    grid = PatchGrid(np.array([30.0]), np.array([10.0]), 40 * u.deg)
    shares = spread_over(32, grid, 16, keep=False).shares
    total = np.asarray(shares.sum(axis=0)).ravel()
    assert np.isclose(total.max(), 1, atol=1e-5)
    assert np.sum(total > 0.999) > 0.7 * np.sum(total > 0)
