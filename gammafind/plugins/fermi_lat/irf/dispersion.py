"""The energy-dispersion tables of the LAT: two asymmetric bell functions per bin."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import astropy.units as u
import numpy as np
from astropy.units import Quantity

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
from gammafind.units import as_value

_PARAMETERS = ("F", "S1", "K1", "BIAS", "PINDEX1", "S2", "K2", "BIAS2", "PINDEX2")


@dataclass(frozen=True, eq=False)
class EnergyDispersion:
    """Energy dispersion of one event type.

    Parameters
    ----------
    irf : str
    event_type : str
    axes : Axes
    parameters : ndarray, shape (9, n_cos, n_energy)
        F, then S, K, BIAS and PINDEX of the first and of the second bell.
    scaling : ndarray, shape (6,)
        EDISPSCALE; see `width_scale`.
    """

    irf: str
    event_type: str
    axes: Axes
    parameters: np.ndarray
    scaling: np.ndarray

    def density(self, measured: Quantity, true: Quantity, cos_theta: float) -> Quantity:
        """Probability density of the measured energy.

        Parameters
        ----------
        measured : Quantity, shape (n,)
        true : Quantity, scalar
        cos_theta : float
            Cosine of the inclination.

        Returns
        -------
        Quantity, shape (n,)
            Per MeV; its integral over the measured energy is one. As in the LAT tools, the
            densities of neighbouring bins are interpolated at the same fractional deviation.
        """
        energy = float(as_value(true, u.MeV, name="true"))
        deviation = np.asarray(as_value(measured, u.MeV, name="measured")) / energy - 1
        by_energy = hat_matrix(np.log10([energy]), self.axes.log_energy)[0]
        by_cosine = hat_matrix(np.array([cos_theta]), self.axes.cos_theta)[0]
        density = np.einsum("k,j,jkn->n", by_energy, by_cosine, self._bins(deviation))
        return density / energy / u.MeV

    def _bins(self, deviation: np.ndarray) -> np.ndarray:
        """Density of the fractional deviation in every bin, shape (n_cos, n_energy, n)."""
        scale = width_scale(self.axes.log_energy, self.axes.cos_theta[:, None], self.scaling)[
            ..., None
        ]
        share, *bells = self.parameters[..., None]
        first = skewed_bell(deviation / scale, *bells[:4])
        second = skewed_bell(deviation / scale, *bells[4:])
        return (share * first + (1 - share) * second) / scale


def skewed_bell(
    x: np.ndarray, width: np.ndarray, skew: np.ndarray, bias: np.ndarray, index: np.ndarray
) -> np.ndarray:
    """Bell function with exponent ``index`` and two different widths, normalised to one.

    Parameters
    ----------
    x : ndarray
        Scaled deviation.
    width, skew, bias, index : ndarray
        S, K, BIAS and PINDEX of the response file.

    References
    ----------
    Fermi-LAT Cicerone, "LAT energy dispersion".
    """
    from scipy.special import gamma

    norm = index / (width * gamma(1 / index)) * skew / (1 + skew**2)
    side = np.where(x > bias, skew, 1 / skew)
    return norm * np.exp(-((side * np.abs(x - bias) / width) ** index))


def width_scale(log_energy: np.ndarray, cos_theta: np.ndarray, scaling: np.ndarray) -> np.ndarray:
    """Scale of the fractional deviation: a quadratic in log10(E / MeV) and the cosine."""
    c0, c1, c2, c3, c4, c5 = scaling
    return (
        c0 * log_energy**2
        + c1 * cos_theta**2
        + c2 * log_energy
        + c3 * cos_theta
        + c4 * log_energy * cos_theta
        + c5
    )


def read_dispersion(path: str | PathLike, event_type: str) -> EnergyDispersion:
    """Read the energy dispersion of one event type from a CALDB ``edisp_*`` file of Pass 8.

    Parameters
    ----------
    path : path-like
        Compressed or not.
    event_type : str
        FRONT, BACK (files ``_FB``) or PSF0 to PSF3 (files ``_PSF``).

    Raises
    ------
    ResponseError
        If the file has another kind, or lacks the event type or a column.
    InputFileError
        If the file is missing, truncated or not a FITS file.
    """
    with open_fits(path, what="a CALDB edisp_* file of Pass 8") as hdus:
        table = response_table(hdus, "ENERGY DISPERSION", event_type, path=path)
        axes = read_axes(table, path=path)
        parameters = np.stack(read_columns(table, _PARAMETERS, path=path))
        scaling_table = response_table(hdus, "EDISP_SCALING_PARAMS", event_type, path=path)
        (scaling,) = read_columns(scaling_table, ("EDISPSCALE",), path=path)
        irf = response_class(table, event_type, path=path)
    if parameters.shape[1:] != axes.shape or scaling.shape != (6,):
        raise ResponseError(
            f"energy-dispersion parameters have the shape {parameters.shape[1:]}, "
            f"their scaling {scaling.shape}",
            path=path,
            remedy=f"Expected {axes.shape} and (6,), as in Pass 8.",
        )
    return EnergyDispersion(irf, event_type, axes, parameters, scaling)
