"""The observing times of the embedded exposures, in total and by year, and their exposures."""

from __future__ import annotations

from functools import lru_cache

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.embedded import load_exposure_by_year
from gammafind.plugins.fermi_lat.irf import Response, survey_exposure
from gammafind.sky.bands import Band
from gammafind.sky.fits.good_times import good_time_within, mission_seconds

EMBEDDED_EXPOSURES = {"ten-years": 3652.5, "573-weeks": 4011.0, "98-months": 3012.0}
"""Observing times whose exposure comes with the package, in days from 2008-08-04. The 98 months of
2999 days lost less time than the rest of the ten years: their good time is 214.91 Ms."""
MEASURED_ZENITH = 90 * u.deg
"""Zenith cut of the embedded exposures."""
N_YEARS = 10
"""Number of years of ``"ten-years"``, each starting on 4 August."""
YEARS = np.append(239557417.0, 270.89e6 + 31.56e6 * np.arange(N_YEARS))
"""Begins of these years and the end of the last in s of the mission elapsed time: those of
4FGL-DR2 (Hist_Start of gll_psc_v27)."""

ROCKING = (35, 50) * u.deg
"""Rocking angles of survey mode, until and after September 2009."""
_SECOND_ROCKING = mission_seconds("2009-09-02")
"""Begin of the second rocking angle in s of the mission elapsed time."""
_AT_FIRST_ROCKING = np.array([1, 30 / 365] + [0] * (N_YEARS - 2))
"""Share of each year with a rocking angle of 35 deg: until 2009-09-02."""


def survey_days(source: str, year: int = 0) -> np.ndarray:
    """Observing time at each rocking angle, in days.

    Parameters
    ----------
    source : str
        One of `EMBEDDED_EXPOSURES`.
    year : int
        One of the ten years of ``"ten-years"``, 1 to 10; 0 is all of them.

    Returns
    -------
    ndarray, shape (2,)
        Days at 35 and at 50 deg. The years differ by their good time and add up to the whole.

    Raises
    ------
    OptionError
        If the exposure is not known for this single year.
    """
    if year not in range(N_YEARS + 1) or (year and source != "ten-years"):
        raise OptionError(
            f"year is {year}, with the exposure {source!r}",
            remedy=f"Years 1 to {N_YEARS} are those of 'ten-years'; 0 is the whole exposure.",
        )
    if year:
        return _days_by_year()[year - 1]
    later = EMBEDDED_EXPOSURES[source] - EMBEDDED_EXPOSURES["ten-years"]
    return _days_by_year().sum(axis=0) + np.array([0, later])


def survey_time_exposure(
    days: np.ndarray,
    response: Response,
    band: Band,
    declination: Quantity,
    *,
    index: float,
    max_zenith: Quantity,
) -> np.ndarray:
    """Exposure in cm2 s of survey mode without breaks, by declination.

    Parameters
    ----------
    days : ndarray, shape (..., 2)
        From `survey_days`.
    response : Response
    band : Band
    declination : Quantity, shape (n,)
    index : float
        Photon index over which the effective area is averaged in the band.
    max_zenith : Quantity

    Returns
    -------
    ndarray, shape (..., n)
    """
    at_each = [
        survey_exposure(
            response, band, declination, rocking=rocking, max_zenith=max_zenith, index=index
        ).to_value("cm2")
        for rocking in ROCKING
    ]
    return np.asarray(days) * u.day.to(u.s) @ np.array(at_each)


def year_shares(
    response: Response,
    band: Band,
    positions: SkyCoord,
    *,
    index: float = 2.3,
    max_zenith: Quantity = MEASURED_ZENITH,
) -> np.ndarray:
    """Share of each year in the exposure ``"ten-years"`` of a band.

    Parameters
    ----------
    response : Response
    band : Band
    positions : SkyCoord, shape (n,)
    index : float
        Photon index over which the effective area is averaged in the band.
    max_zenith : Quantity
        Zenith cut of the events in the band.

    Returns
    -------
    ndarray, shape (n, 10)
        The sum over the years is 1.

    Notes
    -----
    In the first year the LAT rocked by 35 deg and covered the sky evenly. Since September 2009 it
    rocks by 50 deg, and the poles get more exposure than the equator. The share of the first year
    ranges from 0.08 at the poles to 0.13 at the equator, in agreement with the errors of
    ``Flux_History`` in 4FGL-DR2. Later changes (the Galactic centre favoured in 2014, the stuck
    solar array in 2018) are ignored: according to the same errors they reach 12 % of the exposure
    of a year.
    """
    exposure = survey_time_exposure(
        _days_by_year(), response, band, positions.icrs.dec, index=index, max_zenith=max_zenith
    )
    return (exposure / exposure.sum(axis=0)).T


def span_shares(
    times: np.ndarray,
    spans: np.ndarray,
    response: Response,
    band: Band,
    declination: Quantity,
    *,
    index: float,
    max_zenith: Quantity,
) -> np.ndarray:
    """Share of spans of time in an exposure of survey mode.

    Parameters
    ----------
    times : ndarray, shape (n, 2)
        Good time intervals of the exposure in s of the mission elapsed time, merged and sorted.
    spans : ndarray, shape (n_spans, 2)
    response : Response
    band : Band
    declination : Quantity, shape (m,)
    index : float
    max_zenith : Quantity
        As for `survey_time_exposure`.

    Returns
    -------
    ndarray, shape (n_spans, m)
        By the good time at each rocking angle; 0 where there is none.
    """
    every = np.append(spans, [[times[0, 0], times[-1, 1]]], axis=0)
    early = np.minimum(every, _SECOND_ROCKING)
    at_first = good_time_within(times, *early.T)
    seconds = np.stack([at_first, good_time_within(times, *every.T) - at_first], axis=1)
    exposure = survey_time_exposure(
        seconds / 86400, response, band, declination, index=index, max_zenith=max_zenith
    )
    return exposure[:-1] / exposure[-1]


@lru_cache(maxsize=1)
def _days_by_year() -> np.ndarray:
    """Days at each rocking angle in each year, shape (10, 2)."""
    _, exposure = load_exposure_by_year()
    by_year = exposure[0].sum(axis=1, dtype=float)
    days = EMBEDDED_EXPOSURES["ten-years"] * by_year / by_year.sum()
    return days[:, np.newaxis] * np.stack([_AT_FIRST_ROCKING, 1 - _AT_FIRST_ROCKING], axis=1)
