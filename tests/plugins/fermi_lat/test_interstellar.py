"""Band maps from cubes of the format of gll_iem."""

from __future__ import annotations

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from numpy.testing import assert_allclose

from gammafind.errors import (
    BandError,
    CoordinateSystemError,
    FileFormatError,
    InputDataError,
    TruncatedFileError,
)
from gammafind.plugins.fermi_lat.diffuse import interstellar_intensity
from gammafind.plugins.fermi_lat.interstellar import band_intensity
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels

ENERGIES = np.array([50.0, 400.0, 2e3, 9e3, 8e5])
BANDS = energy_bands([0.5, 3, 100] * u.GeV)
STEP = 2.0


def pattern(lon, lat):
    """Intensity on the sky, smooth over the poles and the wrap."""
    lon, lat = np.radians(lon), np.radians(lat)
    return 3 + np.cos(lat) * np.cos(lon - 1) + 0.5 * np.sin(lat)


def index(lat):
    return 2.0 + 0.3 * np.sin(np.radians(lat))


def cube(path, *, first_lon: float, columns: int | None = None, lat=(-90, 90), **header) -> str:
    """Write a plate-carree cube whose spectrum is a power law, harder to the south.

    ``first_lon`` is the longitude of the first column; longitude falls with the column.
    """
    n_lon = columns or round(360 / STEP)
    lats = np.arange(lat[0], lat[1] + STEP / 2, STEP)
    grid_lon, grid_lat = np.meshgrid(first_lon - STEP * np.arange(n_lon), lats)
    spectrum = (ENERGIES[:, None, None] / 1e3) ** -index(grid_lat)
    image = fits.PrimaryHDU((spectrum * pattern(grid_lon, grid_lat)).astype(np.float32))
    cards = {
        "CTYPE1": "GLON-CAR", "CRPIX1": 1.0, "CRVAL1": first_lon, "CDELT1": -STEP, "CUNIT1": "deg",
        "CTYPE2": "GLAT-CAR", "CRPIX2": 1.0 - lat[0] / STEP, "CRVAL2": 0.0, "CDELT2": STEP,
        "CUNIT2": "deg",
    }  # fmt: skip
    image.header.update(cards | header)
    column = fits.Column("Energy", "D", unit="MeV", array=ENERGIES)
    fits.HDUList([image, fits.BinTableHDU.from_columns([column], name="ENERGIES")]).writeto(path)
    return path


def truth(band, lon, lat):
    low, high = band.edges.to_value(u.GeV)
    x = 1 - index(lat)
    return 1e3 * pattern(lon, lat) * (high**x - low**x) / x


@pytest.mark.parametrize("first_lon", [180.0, 360.0, 0.0, 57.0])
def test_an_all_sky_cube_is_integrated_and_resampled(tmp_path, first_lon):
    path = cube(tmp_path / "iem.fits", first_lon=first_lon)
    pixels = HealpixPixels(16)
    maps = band_intensity(path, BANDS, pixels)
    lon, lat = hp.pix2ang(16, np.arange(hp.nside2npix(16)), lonlat=True)
    for band, found in zip(BANDS, maps, strict=True):
        assert found.shape == pixels.shape
        assert_allclose(found, truth(band, lon, lat), rtol=0.01)


def test_a_pixel_is_the_average_of_its_sub_pixels(tmp_path):
    path = cube(tmp_path / "iem.fits", first_lon=180)
    coarse, fine = band_intensity(
        path, (BANDS[0], BANDS[0]), (HealpixPixels(8), HealpixPixels(512))
    )
    assert_allclose(coarse, hp.ud_grade(fine, 8), rtol=1e-10)


def test_another_frame_is_the_same_sky(tmp_path):
    path = cube(tmp_path / "iem.fits", first_lon=180)
    (found,) = band_intensity(path, BANDS[:1], HealpixPixels(16, "icrs"))
    position = HealpixPixels(16, "icrs").centres().galactic
    assert_allclose(found, truth(BANDS[0], position.l.deg, position.b.deg), rtol=0.01)


@pytest.mark.parametrize("first_lon", [10.0, 370.0, 200.0])
def test_a_cut_out_is_nan_elsewhere(tmp_path, first_lon):
    path = cube(tmp_path / "part.fits", first_lon=first_lon, columns=11, lat=(-8, 12))
    (found,) = band_intensity(path, BANDS[:1], HealpixPixels(512))
    lon, lat = hp.pix2ang(512, np.arange(hp.nside2npix(512)), lonlat=True)
    away = (lon - (first_lon - 10) + 180) % 360 - 180
    inside = (np.abs(away) <= 11) & (lat >= -9) & (lat <= 13)
    assert np.array_equal(np.isfinite(found), inside)
    core = (np.abs(away) <= 10) & (lat >= -8) & (lat <= 12)
    assert_allclose(found[core], truth(BANDS[0], lon[core], lat[core]), rtol=2e-3)


def test_a_fetched_cube_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("GAMMAFIND_DATA", str(tmp_path))
    cube(tmp_path / "iem.fits", first_lon=180)
    _, (named,) = interstellar_intensity("iem.fits", BANDS[:1])
    _, (by_path,) = interstellar_intensity(str(tmp_path / "iem.fits"), BANDS[:1])
    assert np.array_equal(named, by_path)


def test_a_compressed_cube_is_the_same(tmp_path):
    plain = band_intensity(cube(tmp_path / "a.fits", first_lon=180), BANDS, HealpixPixels(4))
    packed = band_intensity(cube(tmp_path / "a.fits.gz", first_lon=180), BANDS, HealpixPixels(4))
    assert_allclose(packed, plain, rtol=0)


def test_a_band_outside_the_cube_is_refused(tmp_path):
    path = cube(tmp_path / "a.fits", first_lon=180)
    with pytest.raises(BandError, match="from 50 MeV up"):
        band_intensity(path, energy_bands([20, 100] * u.MeV), HealpixPixels(4))
    with pytest.raises(BandError, match="1 pixelisations for 2 bands"):
        band_intensity(path, BANDS, [HealpixPixels(4)])


def test_axes_of_two_systems_are_refused(tmp_path):
    path = cube(tmp_path / "a.fits", first_lon=180, CTYPE1="RA---CAR")
    with pytest.raises(FileFormatError, match="GLAT-CAR"):
        band_intensity(path, BANDS, HealpixPixels(4))


def test_a_cut_out_in_another_projection_is_the_same_sky(tmp_path):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [266.0, -29.0]
    wcs.wcs.crpix, wcs.wcs.cdelt, wcs.wcs.cunit = [30.5, 30.5], [-12.0, 12.0], ["arcmin", "arcmin"]
    position = wcs.pixel_to_world(*np.indices((60, 60))[::-1]).galactic
    lon, lat = position.l.deg, position.b.deg
    image = fits.PrimaryHDU((ENERGIES[:, None, None] / 1e3) ** -index(lat) * pattern(lon, lat))
    image.header.update(wcs.to_header())
    column = fits.Column("ENERGY", "D", unit="GeV", array=ENERGIES / 1e3)
    table = fits.BinTableHDU.from_columns([column], name="ENERGIES")
    fits.HDUList([image, table]).writeto(tmp_path / "tan.fits")
    (found,) = band_intensity(tmp_path / "tan.fits", BANDS[:1], HealpixPixels(256))
    inside = np.flatnonzero(np.isfinite(found))
    assert len(inside) > 1000
    lon, lat = hp.pix2ang(256, inside, lonlat=True)
    assert_allclose(found[inside], truth(BANDS[0], lon, lat), rtol=5e-3)


def test_a_grid_without_step_is_refused(tmp_path):
    path = cube(tmp_path / "a.fits", first_lon=180)
    fits.delval(path, "CDELT1")
    with pytest.raises(CoordinateSystemError, match="CDELT1"):
        band_intensity(path, BANDS, HealpixPixels(4))


def test_cubes_that_are_not_whole_are_named(tmp_path):
    path = cube(tmp_path / "a.fits", first_lon=180)
    with fits.open(path) as file:
        image, table = file[0].copy(), file[1].copy()
    cases = {
        "2 dimensions": fits.HDUList([fits.PrimaryHDU(np.ones((4, 4))), table]),
        "no table of energies": fits.HDUList([image]),
        "3 planes, but 5": fits.HDUList([fits.PrimaryHDU(image.data[:3], image.header), table]),
    }
    for message, hdus in cases.items():
        bad = tmp_path / f"{message}.fits"
        hdus.writeto(bad)
        with pytest.raises(FileFormatError, match=message):
            band_intensity(bad, BANDS, HealpixPixels(4))
    image.data[2, 5, 5] = np.nan
    fits.HDUList([image, table]).writeto(tmp_path / "nan.fits")
    with pytest.raises(InputDataError, match="plane 2"):
        band_intensity(tmp_path / "nan.fits", BANDS, HealpixPixels(4))
    (tmp_path / "cut.fits").write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(TruncatedFileError):
        band_intensity(tmp_path / "cut.fits", BANDS, HealpixPixels(4))


def test_the_real_model_at_the_galactic_centre(shared):
    path = shared / "fermi" / "diffuse" / "gll_iem_v07_gc_cutout.fits.gz"
    bands = energy_bands([0.3, 0.5, 1, 2, 7, 20, 500] * u.GeV)
    home, embedded = interstellar_intensity("embedded", bands)
    maps = band_intensity(path, bands, home)
    inside = np.isfinite(maps[0])
    lon, lat = hp.pix2ang(home.nside, np.flatnonzero(inside), lonlat=True)
    assert inside.sum() == pytest.approx(100 / home.pixel_area.to_value("deg2"), rel=0.15)
    assert np.all(np.abs((lon + 180) % 360 - 180) < 5.1)
    assert np.all(np.abs(lat) < 5.1)
    for real, ours in zip(maps, embedded, strict=True):
        ratio = ours[inside] / real[inside]
        assert ratio.mean() == pytest.approx(1, abs=0.01)
        assert ratio.std() < 0.13


def test_the_real_model_agrees_with_astropy(shared):
    path = shared / "fermi" / "diffuse" / "gll_iem_v07_gc_cutout.fits.gz"
    with fits.open(path) as file:
        data, wcs = file[0].data.astype(float), WCS(file[0].header, naxis=2)
        energy = file[1].data["ENERGY_TRUE"].astype(float)
    narrow = energy_bands([energy[10], energy[11]] * u.MeV)
    (found,) = band_intensity(path, narrow, HealpixPixels(512))
    at = np.flatnonzero(np.isfinite(found))[::97]
    lon, lat = hp.pix2ang(512, at, lonlat=True)
    x, y = wcs.world_to_pixel(SkyCoord(lon, lat, unit="deg", frame="galactic"))
    edge = (x < 1) | (x > 78) | (y < 1) | (y > 78)
    x, y, at = x[~edge], y[~edge], at[~edge]
    slope = np.log(data[11] / data[10]) / np.log(energy[11] / energy[10])
    image = (data[11] * energy[11] - data[10] * energy[10]) / (slope + 1)
    i, j = x.astype(int), y.astype(int)
    dx, dy = x - i, y - j
    expected = (
        image[j, i] * (1 - dx) * (1 - dy)
        + image[j, i + 1] * dx * (1 - dy)
        + image[j + 1, i] * (1 - dx) * dy
        + image[j + 1, i + 1] * dx * dy
    )
    assert len(at) > 50
    assert_allclose(found[at], expected, rtol=1e-8)
