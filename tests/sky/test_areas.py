from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.sky.areas import pixel_areas
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import image


def test_healpix_pixels_are_alike():
    areas = pixel_areas(HealpixPixels(4))
    assert areas.shape == (192,)
    assert_allclose(areas, 4 * np.pi / 192)


@pytest.mark.parametrize("lat", [0.0, 60.0, 90.0])
def test_areas_of_a_tangent_image_fall_with_the_cube_of_the_cosine(lat):
    pixels = image(41, step=0.4, lat=lat)
    distance = pixels.centres().separation(pixels.centres()[20, 20]).ravel()
    expected = (0.4 * u.deg).to_value("rad") ** 2 * np.cos(distance) ** 3
    assert_allclose(pixel_areas(pixels), expected, rtol=1e-4)


def test_areas_of_a_plate_carree_sky_fall_with_the_cosine_of_latitude():
    pixels = image(60, step=3.0, lat=0.0, projection="CAR")
    latitude = pixels.centres().spherical.lat.ravel()
    assert_allclose(pixel_areas(pixels), np.radians(3.0) ** 2 * np.cos(latitude), rtol=1e-3)
    assert_allclose(pixel_areas(pixels).sum(), 2 * np.pi, rtol=1e-3)


def test_pixels_off_the_sky_have_no_area():
    pixels = image(20, step=20.0, lat=0.0, projection="AIT")
    assert pixel_areas(pixels)[0] == 0
    assert pixel_areas(pixels).reshape(20, 20)[10, 10] > 0


def test_areas_cannot_be_changed_by_who_asks():
    with pytest.raises(ValueError, match="read-only"):
        pixel_areas(image(8))[0] = 1
