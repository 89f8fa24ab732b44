from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.search_grid import search_grid
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import gaussian_psf, image, observe, source_sky


def grid_of(pixels):
    flat = np.ones(pixels.shape)
    return search_grid(sky_data(observe([flat], [flat], [pixels], [gaussian_psf(4.0)]), index=2))


def test_pixels_of_an_image_have_up_to_eight_neighbours():
    grid = grid_of(image(5))
    assert sorted(grid.neighbours(np.array([12]))[0]) == [6, 7, 8, 11, 13, 16, 17, 18]
    assert sorted(grid.neighbours(np.array([0]))[0]) == [-1] * 5 + [1, 5, 6]
    assert sorted(grid.neighbours(np.array([9]))[0]) == [-1] * 3 + [3, 4, 8, 13, 14]


@pytest.mark.parametrize("pixels", [HealpixPixels(16), image(16)], ids=["healpix", "image"])
def test_neighbours_are_mutual_and_near(pixels):
    grid = grid_of(pixels)
    index = np.arange(int(np.prod(pixels.shape)))
    around = grid.neighbours(index)
    pairs = {(i, j) for i, row in zip(index, around, strict=True) for j in row if j >= 0}
    assert all((j, i) in pairs for i, j in pairs)
    first, second = (grid.vectors(np.array(side)) for side in zip(*pairs, strict=True))
    apart = np.degrees(np.linalg.norm(first - second, axis=1))
    assert apart.max() < 2 * grid.spacing


@pytest.mark.parametrize(
    "pixels", [HealpixPixels(32), image(40, step=1.0)], ids=["healpix", "image"]
)
def test_the_quick_ts_of_a_faint_source_is_that_of_the_likelihood(pixels):
    true = pixels.at(np.array([20]), np.array([20])) if hasattr(pixels, "wcs") else pixels.at([999])
    sky = source_sky(true, [200.0], pixels, gaussian_psf(3.0), level=20.0)
    data = sky_data(sky, index=2.3)
    grid = search_grid(data)
    quick = grid.quick_ts(data)
    best = quick.argmax()
    assert_allclose(quick[best], scan(data, grid.vectors(np.array([best]))).ts[0], rtol=0.15)
    assert np.degrees(np.linalg.norm(grid.vectors(best) - true)) < grid.spacing
    again = grid.quick_ts(data)
    assert_array_equal(again, quick)
