"""The effective-area tables of the LAT, with the correction for the livetime fraction."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np

from gammafind.errors import ResponseError
from gammafind.plugins.fermi_lat.irf.caldb import (
    Axes,
    hat_matrix,
    read_axes,
    read_columns,
    response_class,
    response_table,
)
from gammafind.sky.fits.opening import open_fits

_CM2_PER_M2 = 1e4


@dataclass(frozen=True, eq=False)
class EffectiveArea:
    """Effective area of one event type.

    The modulation with the azimuth around the boresight (PHI_DEPENDENCE) has mean one and is not
    applied: a livetime cube without azimuth bins, and any long observation, averages over it.

    Parameters
    ----------
    irf : str
    event_type : str
    axes : Axes
    area : ndarray, shape (n_cos, n_energy)
        In cm2.
    efficiency : ndarray, shape (2, 6)
        Slope and offset of the efficiency with the livetime fraction, each a broken line in log
        energy; see `efficiency_line`.
    """

    irf: str
    event_type: str
    axes: Axes
    area: np.ndarray
    efficiency: np.ndarray

    def value(self, energy: np.ndarray, cos_theta: np.ndarray) -> np.ndarray:
        """Effective area, interpolated in log energy and cosine.

        Parameters
        ----------
        energy : ndarray, shape (n,)
            In MeV.
        cos_theta : ndarray, shape (m,)

        Returns
        -------
        ndarray, shape (n, m)
            In cm2; zero below the lowest inclination bin.
        """
        by_energy = hat_matrix(np.log10(energy), self.axes.log_energy)
        by_cosine = hat_matrix(cos_theta, self.axes.cos_theta)
        return np.where(cos_theta < self.axes.cos_min, 0, by_energy @ self.area.T @ by_cosine.T)

    def livetime_factors(self, energy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Factors of the livetime and of the livetime times its fraction.

        The effective area decreases with the rate of ghost signals, which is measured by the
        livetime fraction: area x (offset + slope x fraction).

        Returns
        -------
        offset, slope : ndarray, shape (n,)

        References
        ----------
        Ackermann et al. 2012, ApJS 203, 4, DOI 10.1088/0067-0049/203/1/4.
        """
        slope, offset = (efficiency_line(np.log10(energy), line) for line in self.efficiency)
        return offset, slope


def efficiency_line(log_energy: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Continuous line of three pieces in the decimal logarithm of the energy in MeV.

    Parameters
    ----------
    log_energy : ndarray
    line : ndarray, shape (6,)
        EFFICIENCY_PARS: slope and offset of the first piece, slope and start of the second, slope
        and start of the third.
    """
    first, offset, second, start_second, third, start_third = line
    bend = np.maximum(log_energy - start_second, 0)
    last_bend = np.maximum(log_energy - start_third, 0)
    return first * log_energy + offset + (second - first) * bend + (third - second) * last_bend


def read_effective_area(path: str | PathLike, event_type: str) -> EffectiveArea:
    """Read the effective area of one event type from a CALDB ``aeff_*`` file of Pass 8.

    Parameters
    ----------
    path : path-like
        Compressed or not.
    event_type : str
        FRONT, BACK (files ``_FB``) or PSF0 to PSF3 (files ``_PSF``).

    Raises
    ------
    ResponseError
        If the file has another kind, lacks the event type or a column, or an area is negative.
    InputFileError
        If the file is missing, truncated or not a FITS file.
    """
    with open_fits(path, what="a CALDB aeff_* file of Pass 8") as hdus:
        table = response_table(hdus, "EFFECTIVE AREA", event_type, path=path)
        axes = read_axes(table, path=path)
        (area,) = read_columns(table, ("EFFAREA",), path=path)
        efficiency_table = response_table(hdus, "EFFICIENCY_PARAMS", event_type, path=path)
        read_columns(efficiency_table, ("EFFICIENCY_PARS",), path=path)
        efficiency = np.array(efficiency_table.data["EFFICIENCY_PARS"], dtype=float)
        irf = response_class(table, event_type, path=path)
    if area.shape != axes.shape or efficiency.shape != (2, 6) or np.any(area < 0):
        raise ResponseError(
            f"EFFAREA has the shape {area.shape} and the minimum {area.min():g} m2, "
            f"EFFICIENCY_PARS the shape {efficiency.shape}",
            path=path,
            remedy=f"Expected {axes.shape}, no negative area, and (2, 6), as in Pass 8.",
        )
    return EffectiveArea(irf, event_type, axes, area * _CM2_PER_M2, efficiency)
