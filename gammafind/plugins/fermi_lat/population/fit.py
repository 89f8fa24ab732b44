"""All fits of the population to a 4FGL catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.table import QTable

from gammafind.errors import InputDataError
from gammafind.plugins.fermi_lat.catalogues import class_group
from gammafind.plugins.fermi_lat.population.fluxes import (
    FluxDistribution,
    fit_fluxes,
    histogram_peak,
)
from gammafind.plugins.fermi_lat.population.forms import (
    CUTOFF,
    FORM_OF,
    FORMS,
    LOG_PARABOLA,
    SpectralForm,
    with_exponent,
)
from gammafind.plugins.fermi_lat.population.positions import fit_latitudes, fit_longitudes
from gammafind.plugins.fermi_lat.population.shapes import ShapeFit, fit_shapes
from gammafind.plugins.fermi_lat.population.shares import CLASSES, GALACTIC, class_shares
from gammafind.plugins.fermi_lat.population.variability import fit_variability

_FEWEST = 10
"""Sources of a class needed for a stable fit of its quantiles."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassFit:
    """Fit of one class.

    Parameters
    ----------
    shapes : ShapeFit
    latitudes : ndarray, shape (33,), optional
        For Galactic classes, see `~gammafind.plugins.fermi_lat.population.positions`.
    longitudes : ndarray, shape (72,), optional
        For Galactic classes.
    variability : ndarray, shape (2,), optional
        For variable classes.
    """

    shapes: ShapeFit
    latitudes: np.ndarray | None = None
    longitudes: np.ndarray | None = None
    variability: np.ndarray | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class PopulationFit:
    """Fits of all classes.

    Parameters
    ----------
    fluxes : FluxDistribution
    classes : dict of str to ClassFit
        In the order of `~gammafind.plugins.fermi_lat.population.shares.CLASSES`.
    """

    fluxes: FluxDistribution
    classes: dict[str, ClassFit]


@dataclass(frozen=True, eq=False, kw_only=True)
class Members:
    """Sources of a catalogue with the same spectral form.

    Parameters
    ----------
    rows : ndarray of int, shape (n,)
        Rows in the catalogue.
    shape : ndarray, shape (n, 3)
        Pivot energy in MeV, index, curvature; cut-offs are converted to the same exponent.
    exp_index : float
        This exponent b, the median of all; 0 for log-parabolas.
    log_flux : ndarray, shape (n,)
        log10 of the energy flux 1-100 GeV, in erg cm-2 s-1.
    """

    rows: np.ndarray
    shape: np.ndarray
    exp_index: float
    log_flux: np.ndarray


def fit_population(catalogue: QTable) -> PopulationFit:
    """Fit the population to a catalogue.

    Only sources above the peak of the histogram of energy flux are used, where the catalogue is
    most complete. Spectra are fitted to sources of known class; numbers and positions to all
    sources, see `~gammafind.plugins.fermi_lat.population.shares.class_shares`.

    Parameters
    ----------
    catalogue : QTable
        From `~gammafind.plugins.fermi_lat.catalogues.read_fermi_catalogue`.

    Returns
    -------
    PopulationFit

    Raises
    ------
    InputDataError
        If a class has fewer than ten sources above the peak.
    """
    log_flux = log_energy_flux(catalogue)
    peak = histogram_peak(log_flux[np.isfinite(log_flux)])
    bright = catalogue[log_flux >= peak]
    log_flux = log_flux[log_flux >= peak]
    shares = class_shares(class_group(bright["CLASS1"]), _values(bright, "GLAT"))
    return PopulationFit(
        fluxes=fit_fluxes(log_flux, shares),
        classes={
            name: _fit_class(bright, name, share)
            for name, share in zip(CLASSES, shares.T, strict=True)
        },
    )


def log_energy_flux(catalogue: QTable) -> np.ndarray:
    """Energy flux 1-100 GeV of each source, as log10 of its value in erg cm-2 s-1.

    The spectral form is that of its class, or the log-parabola if no class is known. NaN if the
    catalogue has no such fit.
    """
    groups = class_group(catalogue["CLASS1"])
    log_flux = np.full(len(catalogue), np.nan)
    for form in FORMS:
        rows = [FORM_OF.get(group, LOG_PARABOLA) is form for group in groups]
        members = _members(catalogue, form, np.flatnonzero(rows))
        log_flux[members.rows] = members.log_flux
    return log_flux


def members_of(catalogue: QTable, name: str) -> Members:
    """Sources that the catalogue assigns to a class, with the spectral form of the class."""
    rows = np.flatnonzero(class_group(catalogue["CLASS1"]) == name)
    return _members(catalogue, FORM_OF[name], rows)


def _members(catalogue: QTable, form: SpectralForm, rows: np.ndarray) -> Members:
    columns = (*form.shape, form.amplitude, "PLEC_Exp_Index")
    *shape, amplitude, exp_index = (_values(catalogue, column)[rows] for column in columns)
    shape = np.column_stack(shape)
    use = np.all(np.isfinite(shape), axis=1) & (shape[:, 0] > 0) & (amplitude > 0)
    rows, shape, amplitude, exp_index = rows[use], shape[use], amplitude[use], exp_index[use]
    log_flux = np.log10(amplitude * form.unit_energy_flux(shape, exp_index))
    common = 0.0
    if form is CUTOFF and len(rows):
        common = float(np.median(exp_index))
        shape = with_exponent(shape, exp_index, common)
    return Members(rows=rows, shape=shape, exp_index=common, log_flux=log_flux)


def _fit_class(catalogue: QTable, name: str, share: np.ndarray) -> ClassFit:
    members = members_of(catalogue, name)
    if len(members.rows) < _FEWEST:
        raise InputDataError(
            f"the catalogue has {len(members.rows)} sources of class {name} above the peak of "
            "its fluxes",
            remedy=f"A fit needs {_FEWEST}.",
        )
    shapes = fit_shapes(FORM_OF[name], members.shape, members.log_flux, members.exp_index)
    if name not in GALACTIC:
        variability = fit_variability(
            _values(catalogue, "Frac_Variability")[members.rows],
            _values(catalogue, "Signif_Avg")[members.rows],
        )
        return ClassFit(shapes=shapes, variability=variability)
    return ClassFit(
        shapes=shapes,
        latitudes=fit_latitudes(_values(catalogue, "GLAT"), share),
        longitudes=fit_longitudes(_values(catalogue, "GLON"), share),
    )


def _values(catalogue: QTable, column: str) -> np.ndarray:
    values = catalogue[column]
    return np.asarray(getattr(values, "value", values), dtype=float)
