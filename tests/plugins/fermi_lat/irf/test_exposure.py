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
)
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
    with pytest.raises(OptionError, match=r"holds 5\.623"):
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
