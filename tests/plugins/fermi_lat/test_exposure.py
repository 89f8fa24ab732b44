"""Exposure of the presets, and of a user's own file."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose

from gammafind.errors import GammafindError, InputDataError, OptionError
from gammafind.plugins.fermi_lat import embedded
from gammafind.plugins.fermi_lat.exposure import exposure_at, exposure_maps
from gammafind.plugins.fermi_lat.irf import load_response
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.plugins.fermi_lat.years import EMBEDDED_EXPOSURES, year_shares
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import image
from tests.sky.fits.builders import skymap, write

DISPERSED = load_response("P8R3_ULTRACLEANVETO_V3", "PSF3")
PSF3 = DISPERSED.undispersed
BAND = energy_bands([2, 20] * u.GeV)
HOME = (HealpixPixels(128),)


def maps(source, response=PSF3, bands=BAND, pixels=HOME):
    return exposure_maps(source, response, bands, pixels, index=2.3)


def test_the_measured_selection_has_the_measured_exposure():
    assert_allclose(maps("573-weeks")[0], embedded.load_psf3_exposure(), rtol=1e-6)


@pytest.mark.parametrize("source", ["573-weeks", "file"])
def test_the_exposure_includes_the_energy_dispersion(source, tmp_path):
    if source == "file":
        path = tmp_path / "exposure.fits"
        write(path, skymap(np.full((1, 192), 5e10)))
        source = str(path)
    ratio = maps(source, DISPERSED)[0] / maps(source)[0]
    areas = [r.band_effective_area(BAND[0]).value for r in (DISPERSED, PSF3)]
    assert_allclose(ratio, areas[0] / areas[1], rtol=3e-3)


def test_ten_years_are_their_share_of_573_weeks():
    assert EMBEDDED_EXPOSURES["573-weeks"] == 573 * 7
    ratio = maps("ten-years")[0] / maps("573-weeks")[0]
    # The first year, at the other rocking angle, has a larger share in the ten years.
    assert_allclose(ratio, 3652.5 / 4011, rtol=0.011)
    assert_allclose(ratio.mean(), 3652.5 / 4011, rtol=2e-3)


def test_exposure_goes_with_the_effective_area():
    front = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT").undispersed
    ratio = maps("ten-years", front)[0] / maps("ten-years")[0]
    area = [r.band_effective_area(BAND[0], index=2.3).value for r in (front, PSF3)]
    assert_allclose(ratio.mean(), area[0] / area[1], rtol=0.015)


def test_front_events_come_from_on_axis_and_prefer_the_equator_less():
    front = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT").undispersed
    ratio = maps("573-weeks", front)[0] / maps("573-weeks")[0]
    dec = np.abs(HOME[0].centres().icrs.dec.deg)
    assert 1.1 < ratio[dec < 10].mean() / ratio[dec > 75].mean() < 1.2


def test_the_exposure_of_ten_years_is_near_that_by_year():
    # That table is the pattern of PSF3 events in all bands; FRONT events differ by declination.
    bands, by_year = embedded.load_exposure_by_year()
    front = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT").undispersed
    pixels = (HealpixPixels(32),) * 6
    found = maps("ten-years", front, bands, pixels)
    for array, expected in zip(found, by_year.sum(axis=1), strict=True):
        assert_allclose(array, expected, rtol=0.11)
        assert_allclose(array.mean(), expected.mean(), rtol=0.04)


def test_years_add_up_to_the_whole():
    options = {"index": 2.3, "max_zenith": 100 * u.deg}
    pixels = (HealpixPixels(32),)
    whole = exposure_maps("ten-years", PSF3, BAND, pixels, **options)[0]
    years = [
        exposure_maps("ten-years", PSF3, BAND, pixels, year=year, **options)[0]
        for year in range(1, 11)
    ]
    assert_allclose(sum(years), whole, rtol=1e-6)
    shares = year_shares(PSF3, BAND[0], pixels[0].centres(), **options)
    assert_allclose(shares * whole[:, np.newaxis], np.transpose(years), rtol=1e-3)


@pytest.mark.parametrize(("source", "year"), [("573-weeks", 1), ("ten-years", 11), ("a.fits", 2)])
def test_years_are_those_of_ten_years(source, year):
    with pytest.raises(OptionError, match=rf"year is {year}, .*'ten-years'"):
        exposure_maps(source, PSF3, BAND, HOME, index=2.3, year=year)


def test_a_wider_zenith_cut_shows_more_of_the_poles():
    wide = exposure_maps("ten-years", PSF3, BAND, HOME, index=2.3, max_zenith=[105] * u.deg)
    ratio = wide[0] / maps("ten-years")[0]
    dec = np.abs(HOME[0].centres().icrs.dec.deg)
    assert_allclose(ratio[dec < 5], 1, atol=0.005)
    assert 1.15 < ratio[dec > 80].mean() < 1.25


def test_zenith_cuts_go_with_their_bands():
    bands = energy_bands([0.5, 1, 2] * u.GeV)
    two, wide, narrow = (
        exposure_maps("ten-years", PSF3, bands, HOME * 2, index=2.3, max_zenith=zenith * u.deg)
        for zenith in ([100, 105], 105, 100)
    )
    assert_allclose(two[0], narrow[0])
    assert_allclose(two[1], wide[1])


def test_exposure_at_places_is_that_of_the_maps():
    bands = energy_bands([0.5, 1, 2] * u.GeV)
    pixels = image(12, step=2.0)
    places = pixels.centres().galactic.cartesian.xyz.value.reshape(3, -1).T
    at = exposure_at("ten-years", PSF3, bands, places, index=2.3, year=3)
    there = exposure_maps("ten-years", PSF3, bands, (pixels, HOME[0]), index=2.3, year=3)
    assert at.shape == (2, 144)
    assert_allclose(at[0], there[0].ravel())
    assert_allclose(at[1], HOME[0].interpolate(there[1], pixels.centres()).ravel())


def test_exposure_is_the_same_in_any_frame():
    equatorial = HealpixPixels(32, "icrs")
    found = maps("573-weeks", pixels=(equatorial,))[0]
    expected = HOME[0].interpolate(embedded.load_psf3_exposure(), equatorial.centres())
    assert_allclose(found, expected, rtol=1e-6)


def test_off_the_sky_there_is_no_exposure():
    corners = np.array([[np.nan] * 3, [1, 0, 0]])
    found = exposure_at("573-weeks", PSF3, BAND, corners, index=2.3)
    assert np.isnan(found[0]).tolist() == [True, False]


def test_on_an_image_the_exposure_is_that_at_its_pixels():
    pixels = image(12, step=2.0)
    found = maps("573-weeks", pixels=(pixels,))[0]
    assert found.shape == (12, 12)
    assert_allclose(found, HOME[0].interpolate(maps("573-weeks")[0], pixels.centres()))


def gtexpcube(path, levels, nodes):
    """A flat exposure of one level a node, on nside 4."""
    table = skymap(
        np.outer(levels, np.ones(192)), prefix="ENERGY", name="HPXEXPOSURES", NSIDE=4, LASTPIX=191
    )
    column = fits.Column("Energy", "D", unit="MeV", array=nodes)
    return write(path, table, fits.BinTableHDU.from_columns([column], name="ENERGIES"))


def test_a_file_of_ones_own_is_used(tmp_path):
    path = gtexpcube(tmp_path / "exposure.fits", [1e11, 3e11], [1000, 40_000])
    found = maps(str(path), pixels=(HealpixPixels(16),))[0]
    assert_allclose(found, found[0])
    assert 1e11 < found[0] < 2e11
    renderer = FermiLatRenderer(energies=(2, 7, 20), nsides=(16, 32), exposure_source=str(path))
    sky = renderer.exposure()
    assert [values.size for values in sky.values] == [3072, 12288]
    assert sky.values[0][0] < sky.values[1][0]
    background = renderer.background()["isotropic"]
    per_exposure = [b.sum() / e.mean() for b, e in zip(background.values, sky.values, strict=True)]
    assert per_exposure[0] > 3 * per_exposure[1]


def test_a_healpy_map_a_band_is_used(tmp_path):
    path = write(tmp_path / "exposure.fits", skymap(np.full((1, 192), 5e10)))
    assert_allclose(maps(str(path))[0], 5e10)


@pytest.mark.parametrize("source", ["eleven-years", "", "TEN-YEARS"])
def test_an_unknown_source_is_refused_with_those_known(source):
    with pytest.raises(OptionError, match=r"ten-years, 573-weeks"):
        maps(source)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(GammafindError, match=r"nowhere\.fits"):
        maps(str(tmp_path / "nowhere.fits"))


def test_a_file_without_the_energies_is_refused(tmp_path):
    path = gtexpcube(tmp_path / "exposure.fits", [1e11, 3e11], [50, 200])
    with pytest.raises(GammafindError, match=r"exposure.fits.*2-20 GeV"):
        maps(str(path))


def test_a_file_that_leaves_pixels_open_is_refused(tmp_path):
    pixels = image(12, step=2.0)
    cube = fits.PrimaryHDU(np.full((12, 12), 1e11), header=pixels.wcs.to_header())
    path = write(tmp_path / "part.fits", cube)
    assert_allclose(maps(str(path), pixels=(pixels,))[0], 1e11)
    with pytest.raises(InputDataError, match=r"part\.fits: .* not known in \d+ pixels"):
        maps(str(path))


def test_an_exposure_file_given_to_a_search_gets_the_energy_dispersion():
    renderer, exact = (
        FermiLatRenderer(energies=(2, 7, 20), nsides=(4, 4), dispersion=on) for on in (True, False)
    )
    for own, ours, as_given in zip(
        renderer.exposure().values,
        renderer.seen_exposure(exact.exposure()).values,
        exact.seen_exposure(exact.exposure()).values,
        strict=True,
    ):
        assert_allclose(ours, own, rtol=3e-3)
        assert np.all(ours < as_given)
