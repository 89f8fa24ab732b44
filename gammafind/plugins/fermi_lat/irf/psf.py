"""The PSF tables of the LAT: a double King function per bin of energy and inclination."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from os import PathLike

import numpy as np

from gammafind.errors import ResponseError
from gammafind.plugins.fermi_lat.irf.caldb import (
    Axes,
    read_axes,
    read_columns,
    response_class,
    response_table,
)
from gammafind.plugins.fermi_lat.irf.king import double_king, scale_factor
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.psf import ring_weights

THETA = np.concatenate([[0.0], np.radians(np.geomspace(1e-3, 90, 1200))])
"""Angles of all profiles, in radians: steps of 1 % from 0.001 deg to 90 deg."""

_PARAMETERS = ("NTAIL", "SCORE", "STAIL", "GCORE", "GTAIL")


@dataclass(frozen=True, eq=False)
class PsfTable:
    """PSF of one event type.

    Parameters
    ----------
    irf : str
        Name of the response, such as ``"P8R3_SOURCE_V3"``.
    event_type : str
        FRONT, BACK, PSF0 to PSF3.
    axes : Axes
    parameters : ndarray, shape (5, n_cos, n_energy)
        NTAIL, SCORE, STAIL, GCORE, GTAIL. NCORE only normalises the profile, which is done here.
    scaling : tuple of float
        ``c0`` (rad), ``c1`` (rad) and ``beta`` of the scale factor.
    """

    irf: str
    event_type: str
    axes: Axes
    parameters: np.ndarray
    scaling: tuple[float, float, float]

    @cached_property
    def profiles(self) -> np.ndarray:
        """Probability per steradian at `THETA` in each bin, shape (n_cos, n_energy, n_theta).

        Each is normalised to one over the hemisphere. Between bin centres the LAT tools
        interpolate these profiles, not the parameters of the King functions.
        """
        scale = scale_factor(10**self.axes.log_energy, *self.scaling)
        profiles = double_king(THETA / scale[:, None], *self.parameters[..., None])
        return profiles / (profiles @ ring_weights(THETA))[..., None]


def read_psf(path: str | PathLike, event_type: str) -> PsfTable:
    """Read the PSF of one event type from a CALDB ``psf_*`` file of Pass 8.

    Parameters
    ----------
    path : path-like
        Compressed or not.
    event_type : str
        FRONT, BACK (files ``_FB``) or PSF0 to PSF3 (files ``_PSF``).

    Raises
    ------
    ResponseError
        If the file has another kind, lacks the event type or a column, or has parameters that do
        not define a PSF.
    InputFileError
        If the file is missing, truncated or not a FITS file.
    """
    with open_fits(path, what="a CALDB psf_* file of Pass 8") as hdus:
        table = response_table(hdus, "RPSF", event_type, path=path)
        axes = read_axes(table, path=path)
        parameters = np.stack(read_columns(table, _PARAMETERS, path=path))
        scaling_table = response_table(hdus, "PSF_SCALING_PARAMS", event_type, path=path)
        (scaling,) = read_columns(scaling_table, ("PSFSCALE",), path=path)
        irf = response_class(table, event_type, path=path)
    _check(parameters, axes, scaling, path)
    c0, c1, minus_beta = scaling
    return PsfTable(irf, event_type, axes, parameters, (c0, c1, -minus_beta))


def _check(parameters: np.ndarray, axes: Axes, scaling: np.ndarray, path: str | PathLike) -> None:
    tail, core_width, tail_width, core_gamma, tail_gamma = parameters
    if tail.shape != axes.shape or scaling.shape != (3,):
        raise ResponseError(
            f"PSF parameters have the shape {tail.shape}, their scaling {scaling.shape}",
            path=path,
            remedy=f"Expected {axes.shape} and (3,), as in Pass 8.",
        )
    widths = np.minimum(core_width, tail_width)
    gammas = np.minimum(core_gamma, tail_gamma)
    if np.any(tail < 0) or np.any(widths <= 0) or np.any(gammas <= 1) or scaling[2] >= 0:
        raise ResponseError(
            "the PSF parameters define no PSF",
            path=path,
            remedy="NTAIL must not be negative, widths positive, GCORE and GTAIL above 1.",
        )
