"""Maps as images: what is conserved, and which way is up."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels, PlainPixels, WcsPixels
from gammafind.sky.skymap import SkyMap
from gammafind.views.image import (
    all_sky_wcs,
    asinh_norm,
    image_wcs,
    pixel_axes,
    plain_wcs,
    sample,
    tangent_wcs,
)

BAND = energy_bands([1, 10] * u.GeV)


def _one_source(nside: int, lon: float, lat: float) -> SkyMap:
    pixels = HealpixPixels(nside)
    values = np.zeros(pixels.shape)
    values[pixels.pixel_of(SkyCoord(lon, lat, unit="deg", frame="galactic"))] = 1000.0
    return SkyMap(bands=BAND, pixels=(pixels,), values=(values,))


@pytest.mark.parametrize("nside", [16, 256])
def test_equal_area_projection_keeps_the_counts(nside):
    """Fine pixels are added, large ones are sampled: both keep the sum."""
    rng = np.random.default_rng(1)
    pixels = HealpixPixels(nside)
    counts = SkyMap(bands=BAND, pixels=(pixels,), values=(rng.poisson(4, pixels.shape),))
    wcs, shape = all_sky_wcs(400)
    total = np.nansum(sample(counts, wcs, shape)) * np.prod(wcs.wcs.cdelt) * -1
    assert total == pytest.approx(counts.values[0].sum(), rel=0.01)


def test_sky_outside_the_ellipse_is_empty():
    wcs, shape = all_sky_wcs(400)
    image = sample(_one_source(16, 0, 0), wcs, shape)
    assert np.isnan(image[0, 0])
    assert np.isfinite(image).mean() == pytest.approx(np.pi / 4, abs=0.01)


@pytest.mark.parametrize(
    ("lon", "lat", "left", "up"), [(60, 0, True, None), (300, 0, False, None), (0, 60, None, True)]
)
def test_longitude_grows_to_the_left(lon, lat, left, up):
    wcs, shape = all_sky_wcs(400)
    image = np.nan_to_num(sample(_one_source(16, lon, lat), wcs, shape))
    y, x = np.unravel_index(np.argmax(image), shape)
    assert left is None or (x < shape[1] / 2) == left
    assert up is None or (y > shape[0] / 2) == up


def test_north_is_up_and_east_is_left():
    centre = SkyCoord(100, 60, unit="deg")
    wcs, shape = tangent_wcs(centre, 10 * u.deg, 100)
    x, y = wcs.world_to_pixel(SkyCoord([102, 100], [60, 62], unit="deg"))
    assert x[0] < 49
    assert y[1] > 60
    assert wcs.world_to_pixel(centre)[0] == pytest.approx((shape[1] - 1) / 2)


def test_pixels_without_data_are_not_zero(counts):
    south = counts.pixels[0].centres().b.deg < 0
    masked = SkyMap(bands=BAND, pixels=counts.pixels, values=counts.values, valid=(south,))
    wcs, shape = all_sky_wcs(200)
    image = sample(masked, wcs, shape)
    assert np.all(np.isnan(image[shape[0] * 3 // 4 :]))
    assert np.isfinite(image[shape[0] // 4, shape[1] // 2])


def test_half_valid_pixels_keep_their_density():
    pixels = HealpixPixels(64)
    valid = np.arange(pixels.shape[0]) % 2 == 0
    counts = SkyMap(
        bands=BAND, pixels=(pixels,), values=(np.full(pixels.shape, 2.0),), valid=(valid,)
    )
    wcs, shape = all_sky_wcs(100)
    density = np.nanmedian(sample(counts, wcs, shape))
    assert density == pytest.approx(2.0 / pixels.pixel_area.to_value("deg2"), rel=0.05)


def test_bands_of_different_pixels_are_added():
    both = SkyMap(
        bands=energy_bands([1, 2, 4] * u.GeV),
        pixels=(HealpixPixels(8), HealpixPixels(16)),
        values=(np.full(768, 8.0), np.full(3072, 2.0)),
    )
    wcs, shape = all_sky_wcs(100)
    density = sample(both, wcs, shape)[shape[0] // 2, shape[1] // 2]
    area = HealpixPixels(16).pixel_area.to_value("deg2")
    assert density == pytest.approx((8 / 4 + 2) / area, rel=1e-6)


def test_image_in_its_own_pixels_is_unchanged(image):
    wcs, shape = image_wcs(image.pixels[0], 100)
    area = image.pixels[0].pixel_area.to_value("deg2")
    assert shape == (40, 60)
    np.testing.assert_allclose(sample(image, wcs, shape) * area, image.values[0], rtol=1e-9)


def test_large_image_is_added_up_where_it_was(image):
    wcs, shape = image_wcs(image.pixels[0], 20)
    assert shape == (13, 20)
    area = WcsPixels(wcs, shape).pixel_area.to_value("deg2")
    blocks = image.values[0][:39].reshape(13, 3, 20, 3).sum(axis=(1, 3))
    np.testing.assert_allclose(sample(image, wcs, shape) * area, blocks, rtol=1e-9)


@pytest.mark.parametrize("width", [60, 300])
def test_an_image_on_another_grid_keeps_its_density_and_its_gaps(image, width):
    valid = np.ones((40, 60), dtype=bool)
    valid[18:22, 29:33] = False
    pixels = image.pixels[0]
    sky = SkyMap(
        bands=BAND, pixels=(pixels,), values=(100.0 + image.values[0],), valid=(valid,),
        kind="electrons",
    )  # fmt: skip
    wcs, shape = tangent_wcs(SkyCoord(40.05, 30.02, unit="deg"), 9 * u.deg, width)
    found = sample(sky, wcs, shape)
    density = sky.values[0][valid].mean() / pixels.pixel_area.to_value("deg2")
    assert np.nanmean(found) == pytest.approx(density, rel=0.002)
    nearest = pixels.pixel_of(WcsPixels(wcs, shape).centres())
    known = (nearest >= 0) & valid.ravel()[nearest]
    assert np.mean(np.isfinite(found) == known) > 0.98


def test_a_source_in_large_healpix_pixels_is_drawn_round():
    centre = SkyCoord(280, 30, unit="deg", frame="galactic")
    wcs, shape = tangent_wcs(centre, 30 * u.deg, 200)
    pixels = HealpixPixels(64)
    values = 1000 * np.exp(-0.5 * pixels.centres().separation(centre).deg ** 2)
    sky = SkyMap(bands=BAND, pixels=(pixels,), values=(values,))
    found = sample(sky, wcs, shape) / np.nansum(sample(sky, wcs, shape))
    y, x = np.indices(shape) - 99.5
    moments = np.linalg.eigvalsh([[(found * a * b).sum() for a in (x, y)] for b in (x, y)])
    assert np.sqrt(moments[1] / moments[0]) < 1.05


@pytest.mark.parametrize("values", [np.zeros(9), np.full(9, np.nan), np.arange(9.0), [7.0, 7.0]])
def test_stretch_grows_over_any_image(values):
    norm = asinh_norm(np.asarray(values))
    levels = norm(np.linspace(norm.vmin, norm.vmax, 5))
    assert np.all(np.diff(levels) > 0)
    assert (levels[0], levels[-1]) == (0, 1)


def test_axes_of_an_image_without_coordinates_number_its_pixels():
    pixels = PlainPixels.of((300, 500), 0.5 * u.arcsec)
    centre = pixels.wcs.pixel_to_world(120, 80)
    for wcs, shape in (
        plain_wcs(pixels, centre, 30 * u.arcsec, 200),
        image_wcs(pixels, 250),
        image_wcs(pixels, 500),
    ):
        column, row = np.array([0, shape[1] - 1]), np.array([0, shape[0] - 1])
        x, y = pixels.xy(wcs.pixel_to_world(column, row))
        shown = pixel_axes(wcs, pixels).wcs_pix2world(column, row, 0)
        np.testing.assert_allclose(shown, [x, y], atol=1e-5)
    wcs, shape = plain_wcs(pixels, centre, 30 * u.arcsec, 200)
    np.testing.assert_allclose(wcs.world_to_pixel(centre), [99.5, 99.5], atol=1e-6)
    x, y = pixels.xy(wcs.pixel_to_world([-0.5, 199.5], [-0.5, 199.5]))
    np.testing.assert_allclose([x, y], [[90, 150], [50, 110]], atol=1e-6)
