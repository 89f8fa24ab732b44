"""Years of the embedded exposure, against the errors of the yearly fluxes of 4FGL-DR2."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from numpy.testing import assert_allclose

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.irf import load_response
from gammafind.plugins.fermi_lat.years import survey_days, year_shares
from gammafind.sky.bands import energy_bands

GOOD_TIME = [25.81, 26.46, 26.28, 26.02, 25.84, 26.14, 26.37, 26.48, 26.44, 24.77]
BOTH = load_response("P8R3_ULTRACLEANVETO_V3", "FRONT+BACK")
BAND = energy_bands([0.5, 10] * u.GeV)[0]


def shares_at(dec, **options):
    return year_shares(BOTH, BAND, SkyCoord(np.zeros(len(dec)), dec, unit="deg"), **options)


def test_years_differ_by_their_good_time():
    days = np.array([survey_days("ten-years", year) for year in range(1, 11)])
    assert_allclose(days.sum(axis=1) / 3652.5, np.divide(GOOD_TIME, sum(GOOD_TIME)), rtol=1e-5)
    assert_allclose(days.sum(axis=0), survey_days("ten-years"))


def test_rocking_changed_in_september_2009():
    assert survey_days("ten-years", 1)[1] == 0
    assert 25 < survey_days("ten-years", 2)[0] < 35
    assert survey_days("ten-years", 3)[0] == 0
    assert_allclose(survey_days("573-weeks").sum(), 4011)
    assert survey_days("573-weeks")[0] == survey_days("ten-years")[0]


@pytest.mark.parametrize("year", [-1, 11, 1.5])
def test_other_years_are_refused(year):
    with pytest.raises(OptionError, match=f"year is {year}"):
        survey_days("ten-years", year)


def test_shares_sum_to_one_and_depend_on_the_declination_alone():
    places = SkyCoord([0, 0, 200], [-40, 40, 40], unit="deg")
    shares = year_shares(BOTH, BAND, places)
    assert shares.shape == (3, 10)
    assert_allclose(shares.sum(axis=1), 1)
    assert_allclose(shares, shares[[0, 0, 0]])


def test_the_first_year_saw_the_equator_longer():
    first = shares_at([-90, 0, 90])[:, 0]
    assert first[1] / first[0] > 1.4
    assert_allclose(first[0], first[2])


def catalogue_shares(path):
    """Sine of the declination and share of each year in the exposure, from errors of fluxes.

    The variance of a yearly flux is (flux + background) / exposure. Of steady sources, with what
    goes with the flux of the year taken out by a regression.
    """
    table = fits.getdata(path, 1)
    flux = np.array(table["Flux_History"], dtype=float)
    error = np.abs(np.array(table["Unc_Flux_History"], dtype=float))
    good = np.all(np.isfinite(error) & (error > 0), axis=2) & (flux > 0)
    good[(np.abs(table["GLAT"]) < 10) | (table["Variability_Index"] > 30)] = False
    good[good.sum(axis=1) < 8] = False
    used = good.any(axis=1)
    log_flux, log_variance = (
        np.where(good, np.log(np.where(good, values, 1)), np.nan)[used]
        for values in (flux, error.mean(axis=2) ** 2)
    )
    log_flux -= np.nanmean(log_flux, axis=1, keepdims=True)
    log_variance -= np.nanmean(log_variance, axis=1, keepdims=True)
    slope = np.nansum(log_flux * log_variance) / np.nansum(log_flux**2)
    return np.sin(np.radians(table["DEJ2000"][used])), slope * log_flux - log_variance


def test_shares_are_those_that_the_errors_of_yearly_fluxes_show(shared):
    sine, log_exposure = catalogue_shares(shared / "fermi/catalogue/gll_psc_v27.fit.gz")
    zone = np.floor((sine + 1) * 5).astype(int)
    seen = np.exp([np.nanmedian(log_exposure[zone == i], axis=0) for i in range(10)])
    seen /= seen.sum(axis=1, keepdims=True)
    closed = shares_at(np.degrees(np.arcsin(np.arange(10) / 5 - 0.9)), max_zenith=100 * u.deg)
    good_time = np.divide(GOOD_TIME, sum(GOOD_TIME))
    assert np.abs(closed / seen - 1)[:, 0].max() < 0.06
    assert np.abs(good_time / seen - 1)[:, 0].max() > 0.25
    off = (np.std(expected / seen - 1) for expected in (closed, good_time[np.newaxis]))
    assert next(off) < 0.6 * next(off)
