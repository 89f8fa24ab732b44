"""Real and synthetic samples for the benchmark of the population."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.plugins.fermi_lat.catalogues import class_group, spectra_of
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.population.fit import (
    PopulationFit,
    log_energy_flux,
    members_of,
)
from gammafind.plugins.fermi_lat.population.plugin import FermiPopulation
from gammafind.plugins.fermi_lat.population.shapes import ShapeFit, draw_shapes
from gammafind.plugins.fermi_lat.spectra import DIFFERENTIAL_FLUX, SourceSpectra

BANDS = np.array([0.3, 0.5, 1, 2, 7, 20, 500])
CATALOGUE = load_4fgl_dr2()[np.isfinite(log_energy_flux(load_4fgl_dr2()))]
LOG_FLUX = log_energy_flux(CATALOGUE)
POPULATIONS = {
    "default": FermiPopulation(),
    "independent": FermiPopulation(correlated=False),
    "paper": FermiPopulation(correlated=False, marginals="paper", latitudes="paper"),
}
DRAWS = 20000


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """Sources of one class: log energy flux, shape, and the fit that defines their form."""

    log_flux: np.ndarray
    shape: np.ndarray
    fit: ShapeFit

    @property
    def parameters(self) -> np.ndarray:
        """F0 (log10), pivot energy, index, curvature, shape (n, 4)."""
        unit = self.fit.form.unit_energy_flux(self.shape, self.fit.exp_index)
        return np.column_stack([self.log_flux - np.log10(unit), self.shape])

    def bands(self) -> np.ndarray:
        """Photon flux in the six bands, shape (n, 6)."""
        n = len(self.log_flux)
        log_amplitude, pivot, index, curvature = self.parameters.T
        spectra = SourceSpectra(
            kind=np.full(n, self.fit.form.kind),
            amplitude=10**log_amplitude * DIFFERENTIAL_FLUX,
            pivot=pivot * u.MeV,
            index=index,
            curvature=curvature,
            exp_index=np.full(n, self.fit.exp_index),
        )
        return _in_bands(spectra)


def real_members(name: str, log_min: float, catalogue: QTable = CATALOGUE) -> Sample:
    """Members of a class above an energy flux."""
    members = members_of(catalogue, name)
    use = members.log_flux >= log_min
    fit = POPULATIONS["default"].fit.classes[name].shapes
    return Sample(log_flux=members.log_flux[use], shape=members.shape[use], fit=fit)


def drawn_like(fit: PopulationFit, population: FermiPopulation, name: str, real: Sample) -> Sample:
    """Many draws at the energy fluxes of real sources."""
    log_flux = np.repeat(real.log_flux, DRAWS // len(real.log_flux))
    shapes = fit.classes[name].shapes
    shape = draw_shapes(
        shapes,
        log_flux,
        correlated=population.correlated,
        families=population.marginals == "paper",
        rng=np.random.default_rng(3),
    )
    return Sample(log_flux=log_flux, shape=shape, fit=shapes)


def in_class_form(catalogue: QTable) -> QTable:
    """Copy of a catalogue with spectra in the form of the population."""
    table = catalogue.copy()
    pulsar = class_group(table["CLASS1"]) == "PSR"
    table["SpectrumType"] = np.where(pulsar, "PLSuperExpCutoff", "LogParabola")
    return table


def band_fluxes(table: QTable) -> np.ndarray:
    """Photon flux of each source in the six bands, shape (n, 6)."""
    return _in_bands(spectra_of(table))


def _in_bands(spectra: SourceSpectra) -> np.ndarray:
    return spectra.flux(BANDS[:-1] * u.GeV, BANDS[1:] * u.GeV).value
