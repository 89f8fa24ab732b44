"""The orbit and the pointing are those of Fermi."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.photons.orbit import (
    PERIOD,
    PRECESSION,
    below,
    in_saa,
    node_and_phase,
    sun,
    zenith,
)
from gammafind.plugins.fermi_lat.photons.pointing import survey_pointing
from gammafind.plugins.fermi_lat.photons.times import mission_time
from gammafind.sky.projection import unit_vectors

WEEK = survey_pointing("2014-08-07", 7 * u.day)


def angle(one, other):
    return np.degrees(np.arccos(np.clip(np.sum(one * other, axis=-1), -1, 1)))


def test_the_orbit_takes_95_minutes_and_its_nodes_53_days():
    assert abs(PERIOD / 60 - 95.5) < 0.1
    assert abs(PRECESSION / 86400 - 53.4) < 0.1
    first, later = (node_and_phase(np.array([t]))[0][0] for t in (0.0, PRECESSION))
    assert later - first == pytest.approx(-2 * np.pi)


def test_the_satellite_flies_between_535_and_565_km():
    time = np.arange(0, PERIOD, 60.0)
    latitude, longitude, altitude = below(time, zenith(*node_and_phase(time)))
    assert np.all((altitude > 535e3) & (altitude < 565e3))
    assert np.abs(latitude).max() == pytest.approx(25.6, abs=0.3)
    assert longitude.min() >= 0
    assert longitude.max() <= 360


def test_the_anomaly_takes_a_seventh_to_a_quarter_of_a_day():
    assert list(in_saa([-20, 10, -20], [-40, -40, 60])) == [True, False, False]
    assert 0.75 < WEEK.livetime / (0.91 * 7 * 86400) < 0.87
    middle = WEEK.good.mean(axis=1)
    latitude, longitude, _ = below(middle, zenith(*node_and_phase(middle)))
    assert not in_saa(latitude, longitude).any()


def test_ground_points_sun_and_gaps_are_those_of_a_real_week(shared):
    path = shared / "fermi/ft2/lat_spacecraft_weekly_w323_p202_v001.fits.gz"
    real = fits.getdata(path, 1)[::50]
    up = unit_vectors(real["RA_ZENITH"].astype(float), real["DEC_ZENITH"].astype(float))
    latitude, longitude, _ = below(real["START"], up)
    assert np.abs((longitude - real["LON_GEO"] + 180) % 360 - 180).max() < 0.01
    assert np.abs(latitude - real["LAT_GEO"]).max() < 0.05
    solar = unit_vectors(real["RA_SUN"].astype(float), real["DEC_SUN"].astype(float))
    assert angle(sun(real["START"]), solar).max() < 0.3
    assert not in_saa(real["LAT_GEO"], real["LON_GEO"]).any()


def test_the_lat_rocks_north_and_south_orbit_by_orbit():
    time = WEEK.start + PERIOD * np.arange(6)
    attitude = WEEK.attitude(time)
    np.testing.assert_allclose(np.abs(np.diff(np.sign(attitude.rocking))), 2)
    np.testing.assert_allclose(angle(attitude.z, attitude.zenith), 50, rtol=1e-6)
    north = np.sign(np.sum(attitude.z * attitude.pole, axis=1))
    np.testing.assert_array_equal(north, np.sign(attitude.rocking))
    first_year = survey_pointing("2008-08-04", 1 * u.day).attitude(np.array([239_557_417.5]))
    assert np.degrees(first_year.rocking) == pytest.approx(35)


def test_the_x_axis_is_on_the_side_of_the_sun():
    time = WEEK.start + 600 * np.arange(20)
    attitude = WEEK.attitude(time)
    x = attitude.x(time)
    np.testing.assert_allclose(angle(x, attitude.z), 90)
    np.testing.assert_allclose(angle(np.cross(attitude.z, x), sun(time)), 90)
    assert np.all(np.sum(x * sun(time), axis=1) > 0)


def test_times_are_drawn_within_the_good_time_and_follow_the_years():
    pointing = survey_pointing("2009-07-01", 60 * u.day)
    weights = np.zeros((4000, 10))
    weights[:, 0], weights[:, 1] = 1, 3
    time = pointing.draw(weights, rng=np.random.default_rng(1))
    row = np.searchsorted(pointing.good[:, 0], time) - 1
    assert np.all(time <= pointing.good[row, 1])
    second = mission_time("2009-08-04T06:00")
    share = 3 * pointing.year_shares[1] / (pointing.year_shares[0] + 3 * pointing.year_shares[1])
    assert np.mean(time > second) == pytest.approx(share, abs=0.03)
    assert pointing.year_shares.sum() == pytest.approx(1)


def test_livetime_adds_up_to_the_whole():
    assert WEEK.livetime_until(np.array([WEEK.start]))[0] == 0
    assert WEEK.livetime_until(np.array([WEEK.stop]))[0] == pytest.approx(WEEK.livetime)
    np.testing.assert_allclose(WEEK.at(np.array([0.0, 1.0])), WEEK.good.ravel()[[0, -1]])


def test_mission_time_counts_seconds_from_2001():
    assert mission_time("2001-01-01") == 0
    assert mission_time("2008-08-04T15:43:36.5") == pytest.approx(239_557_417.5)
    assert mission_time(Time("2001-01-02", scale="utc")) == pytest.approx(86400)


@pytest.mark.parametrize(
    ("start", "duration", "fault"),
    [
        ("someday", 1 * u.day, "start is 'someday'"),
        ("2010-01-01", 1 * u.s, "duration is 1.0 s"),
        ("2010-01-01", np.nan * u.s, "duration is nan s"),
    ],
)
def test_a_time_that_cannot_be_is_refused(start, duration, fault):
    with pytest.raises(OptionError, match=fault):
        survey_pointing(start, duration)


def test_a_list_without_good_time_is_refused():
    start = Time("2001-01-01", scale="utc") + (WEEK.good[0, 1] + 30) * u.s
    with pytest.raises(OptionError, match="South Atlantic"):
        survey_pointing(start, 30 * u.s)
