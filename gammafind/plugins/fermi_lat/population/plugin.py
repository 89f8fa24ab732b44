"""The population of 4FGL-DR2 as a plugin."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.catalogues import read_fermi_catalogue
from gammafind.plugins.fermi_lat.embedded import load_population_table
from gammafind.plugins.fermi_lat.population.fit import ClassFit, PopulationFit, fit_population
from gammafind.plugins.fermi_lat.population.fluxes import draw_from_histogram
from gammafind.plugins.fermi_lat.population.forms import FORMS
from gammafind.plugins.fermi_lat.population.positions import (
    draw_isotropic,
    draw_latitudes,
    draw_longitudes,
    draw_paper_latitudes,
)
from gammafind.plugins.fermi_lat.population.shapes import ShapeFit, draw_shapes
from gammafind.plugins.fermi_lat.population.storage import fit_from_table
from gammafind.plugins.fermi_lat.population.table import source_table
from gammafind.plugins.fermi_lat.population.variability import draw_history, steady_history
from gammafind.roles.population import SourcePopulation
from gammafind.units import ENERGY_FLUX, as_value

_SOURCES_OF_FITS = ("catalogue", "paper")
_LOWEST = 1e-16
"""Smallest allowed energy flux: keeps the number of sources finite."""


@dataclass(frozen=True, kw_only=True)
class FermiPopulation(SourcePopulation):
    """Sources that resemble those of 4FGL-DR2, or of another release of 4FGL.

    Parameters
    ----------
    flux_min : Quantity
        Lowest energy flux 1-100 GeV.
    correlated : bool
        Draw spectral parameters correlated with each other and with the energy flux, as they
        are in the catalogue; the paper draws them independently.
    marginals : {"catalogue", "paper"}
        Distribution of each spectral parameter: the quantiles of the catalogue, or the families of
        the paper fitted to it.
    latitudes : {"catalogue", "paper"}
        Distribution in latitude of the Galactic classes: the quantiles of the catalogue for each
        class, or the two Gaussians of the paper for both.
    catalogue : str
        FITS file of a 4FGL release to fit instead of the stored fit to 4FGL-DR2.

    Raises
    ------
    OptionError
        If an option is out of range.
    """

    name: ClassVar[str] = "4fgl-dr2"
    provides: ClassVar[tuple[str, ...]] = (
        "energy_flux",
        "glon",
        "glat",
        "flux_history",
        "SpectrumType",
        *dict.fromkeys(name for form in FORMS for name in (*form.shape, form.amplitude)),
        "PLEC_Exp_Index",
    )

    flux_min: Quantity = 1e-13 * ENERGY_FLUX
    correlated: bool = True
    marginals: str = "catalogue"
    latitudes: str = "catalogue"
    catalogue: str = ""

    def __post_init__(self) -> None:
        flux_min = as_value(self.flux_min, ENERGY_FLUX, name="flux_min")
        if not (np.ndim(flux_min) == 0 and _LOWEST <= flux_min < np.inf):
            raise OptionError(
                f"flux_min is {self.flux_min}",
                remedy=f"It must be {_LOWEST} {ENERGY_FLUX} or more.",
            )
        for name in ("marginals", "latitudes"):
            if getattr(self, name) not in _SOURCES_OF_FITS:
                raise OptionError(
                    f"{name} is {getattr(self, name)!r}",
                    remedy=f"It accepts {' or '.join(map(repr, _SOURCES_OF_FITS))}.",
                )

    @functools.cached_property
    def fit(self) -> PopulationFit:
        """The fit that catalogues are drawn from."""
        if self.catalogue:
            return fit_population(read_fermi_catalogue(self.catalogue))
        return fit_from_table(load_population_table())

    def _sample(self, rng: np.random.Generator) -> QTable:
        log_min = np.log10(as_value(self.flux_min, ENERGY_FLUX, name="flux_min"))
        edges, counts = self.fit.fluxes.above(log_min)
        parts = [
            self._sample_class(name, edges, expected, rng)
            for name, expected in zip(self.fit.classes, counts, strict=True)
        ]
        lon, lat, label, history = (
            np.concatenate(one) for one in list(zip(*parts, strict=True))[:4]
        )
        return source_table(lon, lat, label, _joined([part[4] for part in parts]), history)

    def _sample_class(
        self, name: str, edges: np.ndarray, expected: np.ndarray, rng: np.random.Generator
    ) -> tuple:
        fit = self.fit.classes[name]
        n = int(rng.poisson(expected.sum()))
        log_flux = draw_from_histogram(edges, expected, n, rng=rng)
        shape = draw_shapes(
            fit.shapes,
            log_flux,
            correlated=self.correlated,
            families=self.marginals == "paper",
            rng=rng,
        )
        lon, lat = self._positions(fit, n, rng)
        steady = fit.variability is None
        history = steady_history(n) if steady else draw_history(n, fit.variability, rng=rng)
        spectra = _spectra(fit.shapes, shape, log_flux)
        return lon, lat, np.full(n, name), history, spectra

    def _positions(
        self, fit: ClassFit, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        if fit.longitudes is None:
            return draw_isotropic(n, rng=rng)
        lon = draw_longitudes(n, fit.longitudes, rng=rng)
        if self.latitudes == "paper":
            return lon, draw_paper_latitudes(n, rng=rng)
        return lon, draw_latitudes(n, fit.latitudes, rng=rng)


def _spectra(fit: ShapeFit, shape: np.ndarray, log_flux: np.ndarray) -> dict[str, np.ndarray]:
    """Catalogue columns of sources of given shape and energy flux."""
    shape = shape.astype(np.float32).astype(float)
    n = len(log_flux)
    columns = dict(zip(fit.form.shape, shape.T, strict=True))
    columns[fit.form.amplitude] = 10**log_flux / fit.form.unit_energy_flux(shape, fit.exp_index)
    if fit.form.kind == "PLSuperExpCutoff":
        columns["PLEC_Exp_Index"] = np.full(n, fit.exp_index)
    return {"SpectrumType": np.full(n, fit.form.kind), **columns}


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Columns of all parts, stacked; NaN if a part lacks a column."""
    names = dict.fromkeys(name for part in parts for name in part)
    lengths = [len(part["SpectrumType"]) for part in parts]
    return {
        name: np.concatenate(
            [part.get(name, np.full(n, np.nan)) for part, n in zip(parts, lengths, strict=True)]
        )
        for name in names
    }
