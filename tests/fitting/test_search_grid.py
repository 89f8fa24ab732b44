from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.search_grid import SearchGrid
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import directions, gaussian_psf, image, king_psf, observe, source_sky

KINDS = pytest.mark.parametrize("pixels", [HealpixPixels(16), image(16)], ids=["healpix", "image"])


def grid_of(pixels) -> SearchGrid:
    flat = np.ones(pixels.shape)
    return SearchGrid(sky_data(observe([flat], [flat], [pixels], [gaussian_psf(4.0)]), index=2))


@KINDS
def test_positions_have_up_to_eight_neighbours(pixels):
    grid = grid_of(pixels)
    corner, middle = grid.neighbours(np.array([0, grid.width + 1]))
    assert np.sum(corner >= 0) == 3
    assert np.all(middle >= 0)


@KINDS
def test_neighbours_are_mutual_and_near(pixels):
    grid = grid_of(pixels)
    index = np.arange(grid.width**2)
    around = grid.neighbours(index)
    pairs = {(i, j) for i, row in zip(index, around, strict=True) for j in row if j >= 0}
    assert all((j, i) in pairs for i, j in pairs)
    first, second = (grid.vectors(np.array(side)) for side in zip(*pairs, strict=True))
    apart = np.degrees(np.linalg.norm(first - second, axis=1))
    assert apart.max() < 1.5 * grid.spacing


def test_every_position_of_the_sky_belongs_to_a_tile():
    grid = grid_of(HealpixPixels(16))
    vectors = directions(500, rng=np.random.default_rng(1))
    owners = sum(grid.tiles.owned(tile, vectors).astype(int) for tile in range(len(grid.tiles)))
    assert owners.min() >= 1
    assert owners.max() <= 4


@pytest.mark.parametrize(
    "pixels", [HealpixPixels(32), image(40, step=1.0)], ids=["healpix", "image"]
)
def test_the_quick_ts_of_a_faint_source_is_that_of_the_likelihood(pixels):
    true = pixels.at(np.array([20]), np.array([20])) if hasattr(pixels, "wcs") else pixels.at([999])
    sky = source_sky(true, [200.0], pixels, gaussian_psf(3.0), level=20.0)
    data = sky_data(sky, index=2.3)
    grid = SearchGrid(data)
    index, quick = grid.summits(data, 10.0)
    best = index[quick.argmax()]
    assert_allclose(quick.max(), scan(data, grid.vectors(np.array([best]))).ts[0], rtol=0.2)
    assert np.degrees(np.linalg.norm(grid.vectors(np.array([best])) - true)) < grid.spacing
    again, values = grid.summits(data, 10.0)
    assert_array_equal(again, index)
    assert_array_equal(values, quick)


@pytest.mark.parametrize("sigma", [0.1, 2.0])
def test_photons_on_almost_no_background_have_no_huge_quick_ts(sigma):
    pixels = HealpixPixels(32)
    true = pixels.at([999])
    sky = source_sky(true, [120.0], pixels, king_psf(sigma), level=1e-4)
    data = sky_data(sky, index=2.3)
    grid = SearchGrid(data)
    index, quick = grid.summits(data, 100.0)
    best = scan(data, grid.vectors(index[[quick.argmax()]])).ts[0]
    assert best > 500
    assert quick.max() < 3 * best
