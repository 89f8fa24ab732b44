from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.sky.corner_shares import corner_shares, square_shares
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf_stamps import psf_core
from tests.fitting.skies import gaussian_psf, image, king_psf

PLACES = unit_vectors(np.array([0.0, 33.0, 121.3, 300.0]), np.array([0.0, 41.0, 45.4, -66.0]))


@pytest.mark.parametrize("psf", [gaussian_psf(0.1), king_psf(0.3)], ids=["gaussian", "king"])
def test_the_shares_of_all_pixels_near_a_source_add_up_to_one(psf):
    pixels = HealpixPixels(16)
    index = pixels.nearest(PLACES, 40)
    vectors = np.repeat(PLACES, 40, axis=0)
    shares = corner_shares(vectors, index.ravel(), pixels, psf, psf_core(psf))
    assert_allclose(shares.reshape(4, 40).sum(axis=1), 1, atol=2e-3)


@pytest.mark.parametrize("pixels", [HealpixPixels(32), image(40, step=1.0)])
def test_shares_are_those_of_many_sub_pixels(pixels):
    psf = king_psf(0.6)
    place = PLACES[2:3]
    index = pixels.nearest(place, 9)[0]
    exact = corner_shares(np.repeat(place, 9, axis=0), index, pixels, psf, psf_core(psf))
    sub = pixels.subpixel_vectors(index, 64)
    theta = 2 * np.arcsin(np.linalg.norm(sub - place, axis=-1) / 2)
    assert_allclose(exact, psf(theta).mean(axis=1) * pixels.pixel_area.to_value("sr"), atol=4e-3)


def test_a_square_around_a_narrow_source_holds_it():
    psf = gaussian_psf(0.1)
    shares = square_shares(np.radians([0.0, 1.0, 5.0]), np.radians(2.0), psf, psf_core(psf))
    # At the distance of half a side, the source is outside in some orientations only.
    assert_allclose(shares, [1, 0.76, 0], atol=0.02)
