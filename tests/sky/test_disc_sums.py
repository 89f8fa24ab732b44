"""Sums over discs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gammafind.sky.disc_sums import disc_sums
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import directions, image

POLES = np.array([[0.0, 0, 1], [0, 0, -1]])


@pytest.mark.parametrize("radius", [0.02, 0.3, 1.3])
@pytest.mark.parametrize("pixels", [HealpixPixels(16), image(24, step=2.0)], ids=["sphere", "wcs"])
def test_a_disc_holds_the_pixels_whose_centres_are_in_it(pixels, radius):
    rng = np.random.default_rng(1)
    n_pixels = int(np.prod(pixels.shape))
    maps = rng.poisson(1.0, (2, n_pixels)).astype(float)
    on_pixels = pixels.vectors[rng.integers(0, n_pixels, 20)]
    places = np.concatenate([directions(60, rng=rng), on_pixels, POLES])
    found = disc_sums(maps, pixels, places, radius)
    inside = pixels.vectors @ places.T >= np.cos(radius) - 1e-12
    assert_array_equal(found, maps @ inside)
