"""All fits of the population, made from a 4FGL catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.errors import InputDataError
from gammafind.plugins.fermi_lat.catalogues import class_group, spectra_of
from gammafind.plugins.fermi_lat.population.fluxes import FluxDistribution, fit_fluxes
from gammafind.plugins.fermi_lat.population.forms import FORM_OF, SpectralForm
from gammafind.plugins.fermi_lat.population.positions import fit_latitudes, fit_longitudes
from gammafind.plugins.fermi_lat.population.shapes import ShapeFit, fit_shapes
from gammafind.plugins.fermi_lat.population.shares import CLASSES, GALACTIC, class_shares
from gammafind.plugins.fermi_lat.population.variability import fit_variability

__all__ = [
    "ClassFit",
    "Members",
    "PopulationFit",
    "fit_population",
    "log_energy_flux",
    "members_of",
]

_FEWEST = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassFit:
    """Fit of one class.

    Parameters
    ----------
    shapes : ShapeFit
    latitudes : ndarray, shape (3,), optional
        Of Galactic classes, see `~gammafind.plugins.fermi_lat.population.positions`.
    longitudes : ndarray, shape (72,), optional
        Of Galactic classes.
    variability : ndarray, shape (2,), optional
        Of variable classes.
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
    """Sources that the catalogue itself assigns to one class, in the form of that class.

    Parameters
    ----------
    rows : ndarray of int, shape (n,)
        Their rows in the catalogue.
    shape : ndarray, shape (n, 3)
        Pivot energy in MeV, index, curvature.
    exp_index : float
        Median exponent b of the cut-off.
    log_flux : ndarray, shape (n,)
        log10 of the energy flux 1-100 GeV of that form, in erg cm-2 s-1.
    """

    rows: np.ndarray
    shape: np.ndarray
    exp_index: float
    log_flux: np.ndarray


def fit_population(catalogue: QTable) -> PopulationFit:
    """Fit the population to a catalogue.

    Only sources above the peak of the histogram of energy flux count, where the catalogue is
    nearly complete. Spectra are those of the sources of known class; numbers and positions are
    those of all sources, see `~gammafind.plugins.fermi_lat.population.shares.class_shares`.

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
    listed = catalogue[np.isfinite(log_flux)]
    log_flux = log_flux[np.isfinite(log_flux)]
    groups, lat = class_group(listed["CLASS1"]), listed["GLAT"].to_value("deg")
    first = fit_fluxes(log_flux, class_shares(groups, lat))
    bright = log_flux >= first.peak
    shares = np.zeros((len(listed), len(CLASSES)))
    shares[bright] = class_shares(groups[bright], lat[bright])
    return PopulationFit(
        fluxes=fit_fluxes(log_flux, shares),
        classes={
            name: _fit_class(listed, name, share, log_min=first.peak)
            for name, share in zip(CLASSES, shares.T, strict=True)
        },
    )


def log_energy_flux(catalogue: QTable) -> np.ndarray:
    """log10 of the energy flux 1-100 GeV of the listed spectra, in erg cm-2 s-1."""
    with np.errstate(divide="ignore"):
        return np.log10(spectra_of(catalogue).energy_flux(1 * u.GeV, 100 * u.GeV).value)


def members_of(catalogue: QTable, name: str) -> Members:
    """Members of a class that have finite parameters in the form of the class."""
    form = FORM_OF[name]
    rows = np.flatnonzero(class_group(catalogue["CLASS1"]) == name)
    shape = np.column_stack([_values(catalogue, column)[rows] for column in form.shape])
    amplitude = _values(catalogue, form.amplitude)[rows]
    use = np.all(np.isfinite(shape), axis=1) & (shape[:, 0] > 0) & (amplitude > 0)
    rows, shape, amplitude = rows[use], shape[use], amplitude[use]
    exp_index = _exp_index(catalogue, form, rows)
    log_flux = np.log10(amplitude * form.unit_energy_flux(shape, exp_index))
    return Members(rows=rows, shape=shape, exp_index=exp_index, log_flux=log_flux)


def _fit_class(catalogue: QTable, name: str, share: np.ndarray, *, log_min: float) -> ClassFit:
    members = members_of(catalogue, name)
    use = members.log_flux >= log_min
    if use.sum() < _FEWEST:
        raise InputDataError(
            f"the catalogue has {use.sum()} sources of class {name} above "
            f"{10**log_min:.1e} erg cm-2 s-1",
            remedy=f"A fit needs {_FEWEST}.",
        )
    shapes = fit_shapes(FORM_OF[name], members.shape[use], members.log_flux[use], members.exp_index)
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


def _exp_index(catalogue: QTable, form: SpectralForm, rows: np.ndarray) -> float:
    return float(np.nanmedian(_values(catalogue, "PLEC_Exp_Index")[rows]))


def _values(catalogue: QTable, column: str) -> np.ndarray:
    values = catalogue[column]
    return np.asarray(getattr(values, "value", values), dtype=float)
