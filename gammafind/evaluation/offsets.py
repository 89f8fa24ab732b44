"""Offsets between detections and true positions, compared with the position errors."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import numbers
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.catalogue.positions import sky_positions


@dataclass(frozen=True, eq=False, kw_only=True)
class Offsets:
    """Offsets of matched detections.

    Parameters
    ----------
    separation : Quantity, shape (n,)
    pos_err : Quantity, shape (n,)
        68 % position error of each detection; NaN if not known.
    detection, source : ndarray of int, shape (n,)
        Rows of each pair in the two tables.
    """

    separation: Quantity
    pos_err: Quantity
    detection: np.ndarray
    source: np.ndarray

    def __len__(self) -> int:
        return len(self.separation)

    def __getitem__(self, rows: np.ndarray) -> Offsets:
        """Some of the pairs."""
        return Offsets(**{name: values[rows] for name, values in vars(self).items()})

    @property
    def over_error(self) -> np.ndarray:
        """Offsets divided by the standard errors in one coordinate, if these are known.

        Gaussian errors give a Rayleigh distribution.
        """
        known = np.isfinite(self.pos_err) & (self.pos_err > 0)
        ratio = (self.separation[known] / self.pos_err[known]).to_value("")
        return ratio * np.sqrt(2 * np.log(1 / 0.32))

    @property
    def median(self) -> Quantity:
        """Median offset; NaN without pairs."""
        return np.median(self.separation) if len(self.separation) else np.nan * u.deg

    @property
    def within_68(self) -> float:
        """Fraction within the 68 % error, for detections with an error; should be 0.68."""
        return self._within(1.0)

    @property
    def within_95(self) -> float:
        """Fraction within the 95 % error; should be 0.95."""
        return self._within(R95_OVER_R68)

    def _within(self, factor: float) -> float:
        known = np.isfinite(self.pos_err)
        inside = self.separation[known] <= factor * self.pos_err[known]
        return float(np.mean(inside)) if len(inside) else np.nan


def measure_offsets(
    detections: QTable,
    truth: QTable,
    *,
    radius: Quantity = 0.5 * u.deg,
    error: str = "pos_err",
) -> Offsets:
    """Match one to one and measure the separations of the pairs.

    The result includes chance pairs within ``radius``, but no pairs beyond it. So use a radius that
    is large compared with the position errors, and significant detections.

    Parameters
    ----------
    detections : QTable
        Positions and, if known, 68 % position errors.
    truth : QTable
        Positions.
    radius : Quantity, scalar or one for each detection
        Largest separation of a pair.
    error : str
        Column of the position error; it may be missing. Without a unit it is in degrees.
    """
    pairs = match_one_to_one(
        sky_positions(detections, what="the table of detections"),
        sky_positions(truth, what="the table of true sources"),
        radius,
    )
    errors = numbers(detections, error, u.deg) * u.deg
    return Offsets(
        separation=pairs.separation, pos_err=errors[pairs.a], detection=pairs.a, source=pairs.b
    )
