"""Where the LAT points, and when it observes: survey mode from the start to the end of a list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import astropy.units as u
import numpy as np
from astropy.time import Time
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.photons.orbit import (
    below,
    in_saa,
    node_and_phase,
    orbital_pole,
    sun,
    zenith,
)
from gammafind.plugins.fermi_lat.photons.times import mission_time
from gammafind.plugins.fermi_lat.years import N_YEARS, ROCKING
from gammafind.units import as_value

STEP = 30.0
"""Seconds of a row of the spacecraft file."""
LIVE = 0.91
"""Livetime in a second outside the South Atlantic Anomaly: the mean of a real week of 2014."""

_YEAR, _FIRST_YEAR = 365.25 * 86400, 239_500_801.0
"""Seconds of a year of `flux_history`, and the start of the first, 2008-08-04."""
_ROCKING_CHANGE = 273_542_402.0
"""When the rocking angle of survey mode changed, 2009-09-02."""
_ROWS = 1_000_000
"""Rows of the spacecraft file at once: limits memory."""


@dataclass(frozen=True, eq=False)
class Attitude:
    """Directions at some times, unit vectors in ICRS, each of shape (n, 3).

    Attributes
    ----------
    zenith : ndarray
    z : ndarray
        The boresight.
    pole : ndarray
        North pole of the orbit.
    rocking : ndarray, shape (n,)
        Angle from the zenith to the boresight in radians, positive to the north.
    """

    zenith: np.ndarray
    z: np.ndarray
    pole: np.ndarray
    rocking: np.ndarray

    def x(self, time: np.ndarray) -> np.ndarray:
        """The x axis of the LAT: on the side of the Sun, which has no part along y."""
        solar = sun(time)
        side = solar - np.sum(solar * self.z, axis=-1, keepdims=True) * self.z
        return side / np.linalg.norm(side, axis=-1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Pointing:
    """The pointing of the LAT in survey mode between two times.

    Parameters
    ----------
    start, stop : float
        Mission elapsed time in seconds.
    good : ndarray, shape (n, 2)
        Good time intervals: those outside the South Atlantic Anomaly.
    """

    start: float
    stop: float
    good: np.ndarray

    @property
    def livetime(self) -> float:
        """Total livetime in seconds."""
        return LIVE * float(self._passed[-1])

    @cached_property
    def year_shares(self) -> np.ndarray:
        """Share of each year of `flux_history` in the good time, shape (10,)."""
        return np.diff(self._year_edges)

    def attitude(self, time: np.ndarray) -> Attitude:
        """Directions at mission elapsed times of shape (n,).

        The LAT rocks north in one orbit and south in the next.
        """
        node, phase = node_and_phase(time)
        up, pole = zenith(node, phase), orbital_pole(node)
        angle = ROCKING.to_value(u.rad)[(time >= _ROCKING_CHANGE).astype(int)]
        rocking = np.where(np.floor(phase / (2 * np.pi)) % 2 == 0, angle, -angle)
        boresight = np.cos(rocking)[:, None] * up + np.sin(rocking)[:, None] * pole
        return Attitude(up, boresight, pole, rocking)

    def at(self, share: np.ndarray) -> np.ndarray:
        """Times at which given shares (0 to 1) of the good time have passed."""
        passed, total = self._passed, self._passed[-1]
        seconds = np.asarray(share) * total
        row = np.clip(np.searchsorted(passed, seconds, side="right") - 1, 0, len(self.good) - 1)
        return self.good[row, 0] + seconds - passed[row]

    def livetime_until(self, time: np.ndarray) -> np.ndarray:
        """Livetime in seconds from the start to some times."""
        row = np.clip(np.searchsorted(self.good[:, 0], time) - 1, 0, len(self.good) - 1)
        inside = np.minimum(time, self.good[row, 1]) - self.good[row, 0]
        return LIVE * (self._passed[row] + np.maximum(inside, 0))

    def draw(self, weights: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Draw times, evenly in the good time of each year.

        Parameters
        ----------
        weights : ndarray, shape (n, 10)
            Relative rate of each draw in each year.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray, shape (n,)
        """
        chance = np.cumsum(weights * self.year_shares, axis=1)
        picked = rng.random(len(weights)) * chance[:, -1]
        year = np.minimum((picked[:, None] >= chance).sum(axis=1), N_YEARS - 1)
        return self.at(self._year_edges[year] + rng.random(len(year)) * self.year_shares[year])

    @cached_property
    def _passed(self) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(np.diff(self.good, axis=1).ravel())])

    @cached_property
    def _year_edges(self) -> np.ndarray:
        """Share of the good time before each year; all time before and after the ten counts."""
        edges = _FIRST_YEAR + _YEAR * np.arange(1, N_YEARS)
        row = np.clip(np.searchsorted(self.good[:, 0], edges) - 1, 0, len(self.good) - 1)
        inside = np.clip(edges, self.good[row, 0], self.good[row, 1]) - self.good[row, 0]
        return np.concatenate([[0.0], (self._passed[row] + inside) / self._passed[-1], [1.0]])


def survey_pointing(start: str | Time, duration: Quantity) -> Pointing:
    """Pointing of the LAT in survey mode.

    Parameters
    ----------
    start : str or Time
        Date, UTC if it is a text.
    duration : Quantity
        Of at least `STEP`.

    Raises
    ------
    OptionError
        If the duration is too short, or the LAT is in the South Atlantic Anomaly all the time.
    """
    begin, length = mission_time(start), float(as_value(duration, u.s, name="duration"))
    if not (np.isfinite(length) and length >= STEP):
        raise OptionError(f"duration is {duration}", remedy=f"It must be {STEP:g} s or more.")
    n_rows = int(np.ceil(length / STEP))
    parts = [
        _outside_saa(begin + STEP * np.arange(first, min(first + _ROWS, n_rows)))
        for first in range(0, n_rows, _ROWS)
    ]
    good = np.concatenate(parts)
    change = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(int)))
    edges = np.minimum(begin + STEP * change.reshape(-1, 2), begin + length)
    if not len(edges):
        raise OptionError(
            f"no time of {duration} from {start} is outside the South Atlantic Anomaly",
            remedy="Choose a longer duration or another start.",
        )
    return Pointing(begin, begin + length, edges)


def _outside_saa(row_start: np.ndarray) -> np.ndarray:
    """Which rows of the spacecraft file have their middle outside the anomaly."""
    middle = row_start + STEP / 2
    latitude, longitude, _ = below(middle, zenith(*node_and_phase(middle)))
    return ~in_saa(latitude, longitude)
