from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.irf import (
    LivetimeCube,
    livetime_exposure,
    load_response,
    read_livetime_cube,
    read_response,
    survey_exposure,
    survey_profile,
)
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels


def test_exposure_of_an_even_livetime_is_livetime_times_mean_area():
    response = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT+BACK")
    pixels = HealpixPixels(2, "icrs")
    profile = response.profile
    livetime = np.outer(1 + np.arange(48), profile.livetime / profile.livetime.sum())
    cube = LivetimeCube(pixels, profile.cos_theta, livetime)
    energy = [1, 10] * u.GeV
    exposure = livetime_exposure(response, cube, energy, pixels.centres())
    expected = np.outer(response.mean_effective_area(energy).value, 1 + np.arange(48))
    np.testing.assert_allclose(exposure.to_value("cm2 s"), expected)
    one = livetime_exposure(response, cube, 1 * u.GeV, pixels.centres()[5])
    assert one.shape == ()
    assert one == exposure[0, 5]


def test_exposure_agrees_with_gtexpcube2(shared):
    reference = shared / "fermi/reference/fermitools_crab_1day"
    with fits.open(reference / "binned_expmap.fits.gz") as hdus:
        official = hdus[0].data.astype(float)
        energies = hdus["ENERGIES"].data["Energy"] * u.MeV
        wcs = WCS(hdus[0].header, fix=False).celestial
    row, column = np.indices(official.shape[1:])
    irf = shared / "fermi/irf"
    response = read_response(
        irf / "psf_P8R2_SOURCE_V6_FB.fits", irf / "aeff_P8R2_SOURCE_V6_FB.fits", "FRONT+BACK"
    )
    ours = livetime_exposure(
        response,
        read_livetime_cube(reference / "ltcube.fits.gz"),
        energies,
        wcs.pixel_to_world(column, row),
    )
    off = np.abs(ours.to_value("cm2 s") / official - 1)
    assert np.median(off) < 2e-4
    assert off.max() < 2e-3


def test_exposure_takes_the_pixel_of_each_position(tmp_path):
    response = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT")
    pixels = HealpixPixels(2, "icrs")
    livetime = np.zeros((48, response.profile.cos_theta.size))
    livetime[7] = 1.0
    cube = LivetimeCube(pixels, response.profile.cos_theta, livetime)
    exposure = livetime_exposure(response, cube, 1 * u.GeV, pixels.centres().galactic)
    assert np.flatnonzero(exposure).tolist() == [7]
    assert livetime_exposure(
        response, cube, 1 * u.GeV, SkyCoord([[0, 90]], [[0, 0]], unit="deg")
    ).shape == (1, 2)


def test_energies_beyond_the_response_are_refused():
    response = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT")
    pixels = HealpixPixels(1, "icrs")
    cube = LivetimeCube(pixels, np.array([0.5, 0.9]), np.ones((12, 2)))
    with pytest.raises(OptionError, match=r"covers 5\.623"):
        livetime_exposure(response, cube, 10 * u.TeV, pixels.centres())


def test_livetime_fraction_lowers_the_exposure():
    response = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT")
    pixels = HealpixPixels(1, "icrs")
    cosine, livetime = np.array([0.5, 0.9]), np.ones((12, 2))
    usual, busy = (
        livetime_exposure(
            response,
            LivetimeCube(pixels, cosine, livetime, fraction * livetime),
            1 * u.GeV,
            pixels.centres()[0],
        )
        for fraction in (0.9, 0.8)
    )
    offset, slope = response.areas[0].livetime_factors(np.array([1000.0]))
    expected = (offset + 0.8 * slope) / (offset + 0.9 * slope)
    assert (busy / usual).value == pytest.approx(expected[0])
    assert busy < 0.97 * usual


def zones(values, positions):
    """Mean of values over positions in zones of equal solid angle in declination."""
    zone = np.floor((np.sin(positions.icrs.dec.rad) + 1) * 10).astype(int)
    return np.array([values[zone == i].mean() for i in range(20)])


def survey(response, band, max_zenith, rocking=35):
    declination = np.arcsin((np.arange(20) + 0.5) / 10 - 1) * u.rad
    return survey_exposure(
        response, band, declination, rocking=rocking * u.deg, max_zenith=max_zenith * u.deg
    ).value


def test_survey_exposure_averages_to_the_mean_area_times_the_time_in_view():
    response = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT")
    band = energy_bands([1, 2] * u.GeV)[0]
    profile = survey_profile(rocking=35 * u.deg, max_zenith=90 * u.deg)
    expected = response.with_livetime(profile).band_effective_area(band).value
    found = survey(response, band, 90)
    assert found.mean() == pytest.approx(expected * profile.livetime.sum(), rel=0.01)
    np.testing.assert_allclose(found, found[::-1])


@pytest.mark.parametrize(("edges", "limit"), [((0.3, 0.5), 0.045), ((7, 20), 0.02)])
def test_event_types_differ_over_declination_as_in_the_cube_of_a_day(shared, edges, limit):
    cube = read_livetime_cube(shared / "fermi/reference/fermitools_crab_1day/ltcube.fits.gz")
    positions = cube.pixels.centres()
    band = energy_bands(edges * u.GeV)[0]
    official, closed = [], []
    for event_type in ("FRONT", "PSF3"):
        response = load_response("P8R3_ULTRACLEANVETO_V3", event_type)
        area = response.band_area_by_cosine(band, cube.cos_theta).value
        official.append(zones(cube.livetime @ area, positions))
        closed.append(survey(response, band, 180))
    ratios = [pattern[0] / pattern[1] for pattern in (official, closed)]
    seen, expected = (ratio / ratio.mean() for ratio in ratios)
    np.testing.assert_allclose(expected, seen, rtol=limit)


def test_survey_at_the_rocking_of_the_day_is_nearest_to_its_cube(shared):
    cube = read_livetime_cube(shared / "fermi/reference/fermitools_crab_1day/ltcube.fits.gz")
    response = load_response("P8R3_ULTRACLEANVETO_V3", "PSF3")
    band = energy_bands([2, 20] * u.GeV)[0]
    area = response.band_area_by_cosine(band, cube.cos_theta).value
    official = zones(cube.livetime @ area, cube.pixels.centres())
    spread = {
        rocking: np.std(official / official.mean() / (found / found.mean()))
        for rocking in (35, 50)
        for found in [survey(response, band, 180, rocking)]
    }
    assert spread[35] < 0.09
    assert spread[50] > 0.25
