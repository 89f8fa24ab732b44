from __future__ import annotations

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st

from gammafind.errors import OptionError
from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels, same_pixels

POSITION = st.builds(
    lambda lon, lat: SkyCoord([lon], [lat], unit="deg"), st.floats(0, 360), st.floats(-90, 90)
)


def image(projection="TAN", lon=30.0, lat=10.0, step=0.5, shape=(20, 30)) -> WcsPixels:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{projection}", f"DEC--{projection}"]
    wcs.wcs.crval = [lon, lat]
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-step, step]
    return WcsPixels(wcs, shape)


@pytest.mark.parametrize("pixels", [HealpixPixels(8), HealpixPixels(4, "icrs"), image()])
def test_each_centre_lies_in_its_own_pixel(pixels):
    assert isinstance(pixels, Pixels)
    centres = pixels.centres()
    assert centres.shape == pixels.shape
    number = np.arange(np.prod(pixels.shape)).reshape(pixels.shape)
    np.testing.assert_array_equal(pixels.pixel_of(centres), number)


@given(position=POSITION, frame=st.sampled_from(["galactic", "icrs", "fk5"]))
def test_a_position_is_within_a_pixel_of_the_centre_of_its_pixel(position, frame):
    pixels = HealpixPixels(16, frame)
    index = pixels.pixel_of(position)
    farthest = hp.max_pixrad(16) * u.rad
    assert pixels.centres()[index].separation(position)[0] <= farthest * (1 + 1e-9)


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
def test_vectors_are_those_of_the_centres(frame):
    pixels = HealpixPixels(4, frame)
    np.testing.assert_allclose(pixels.vectors, pixels.centres().cartesian.xyz.T, atol=1e-14)


def test_areas_fill_the_sphere():
    pixels = HealpixPixels(8)
    assert (pixels.pixel_area * pixels.shape[0]).to_value(u.sr) == pytest.approx(4 * np.pi)
    assert pixels.pixel_size.to_value(u.deg) == pytest.approx(hp.nside2resol(8) * 180 / np.pi)
    assert image(step=0.5).pixel_area.to_value(u.deg**2) == pytest.approx(0.25)
    assert image(step=0.5).pixel_size.to_value(u.deg) == pytest.approx(0.5)


@pytest.mark.parametrize("nside", [0, 3, -4, 12])
def test_nside_is_a_power_of_two(nside):
    with pytest.raises(OptionError, match=f"nside is {nside}"):
        HealpixPixels(nside)


def test_unknown_frames_are_refused():
    with pytest.raises(OptionError, match="galactic, icrs, fk5"):
        HealpixPixels(4, "ecliptic")


@pytest.mark.parametrize("pixels", [HealpixPixels(16, "icrs"), image()])
def test_interpolation_reproduces_the_centres_and_a_constant(pixels):
    values = np.random.default_rng(0).random(pixels.shape)
    np.testing.assert_allclose(pixels.interpolate(values, pixels.centres()), values, atol=1e-6)
    near = SkyCoord(30.3, 10.2, unit="deg")
    assert pixels.interpolate(np.full(pixels.shape, 2.5), near) == pytest.approx(2.5)


def test_outside_and_behind_an_image_there_is_nothing():
    pixels = image()
    away = SkyCoord([210.0, 209.0, 30.0, 120.3], [-10.0, -10.3, 80.0, 10.0], unit="deg")
    assert pixels.pixel_of(away).tolist() == [-1] * 4
    assert np.isnan(pixels.interpolate(np.ones(pixels.shape), away)).all()


def test_same_pixels():
    assert same_pixels(HealpixPixels(8), HealpixPixels(8))
    assert not same_pixels(HealpixPixels(8), HealpixPixels(8, "icrs"))
    assert not same_pixels(HealpixPixels(8), image())
    assert same_pixels(image(), image())
    assert same_pixels(image(), WcsPixels(WCS(image().wcs.to_header()), (20, 30)))
    for other in (image(lon=30.1), image("CAR"), image(step=0.4), image(shape=(20, 31))):
        assert not same_pixels(image(), other)


def test_the_corners_of_an_aitoff_image_are_off_the_sky():
    pixels = image("AIT", lon=0.0, lat=0.0, step=10.0, shape=(18, 36))
    assert not pixels.on_sky[0, 0]
    assert pixels.on_sky[9, 18]
    np.testing.assert_array_equal(pixels.on_sky.ravel(), pixels.vectors.any(axis=1))


def test_interpolation_keeps_the_shape_of_the_positions():
    pixels = HealpixPixels(4)
    for shape in ((), (1,), (2, 3)):
        positions = SkyCoord(
            np.full(shape, 10.0), np.full(shape, 5.0), unit="deg", frame="galactic"
        )
        assert np.shape(pixels.interpolate(np.arange(192.0), positions)) == shape
