"""A fixed number of equal sources over the whole sky, for tests and teaching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.population.positions import draw_isotropic
from gammafind.plugins.fermi_lat.population.table import source_table
from gammafind.plugins.fermi_lat.population.variability import steady_history
from gammafind.plugins.fermi_lat.spectra import photon_flux, power_law
from gammafind.roles.population import SourcePopulation
from gammafind.units import FLUX, as_value

_PIVOT_MEV = 1e3
"""Pivot energy of all sources."""
_LOW_MEV, _HIGH_MEV = 1e3, 1e5
"""Range of the photon flux."""
_STEEPEST = 10.0
"""Largest photon index in size: keeps fluxes finite."""


@dataclass(frozen=True, kw_only=True)
class UniformPopulation(SourcePopulation):
    """Isotropic, steady sources with the same power law.

    Parameters
    ----------
    n : int
        Number of sources.
    flux : Quantity
        Photon flux 1-100 GeV of each source.
    index : float
        Photon index.
    class_label : str
        Class of all sources.

    Raises
    ------
    OptionError
        If an option is out of range.
    """

    name: ClassVar[str] = "uniform"
    provides: ClassVar[tuple[str, ...]] = (
        "energy_flux",
        "glon",
        "glat",
        "flux_history",
        "SpectrumType",
        "Pivot_Energy",
        "PL_Flux_Density",
        "PL_Index",
    )

    n: int = 1000
    flux: Quantity = 1e-9 * FLUX
    index: float = 2.2
    class_label: str = "BLL"

    def __post_init__(self) -> None:
        flux = as_value(self.flux, FLUX, name="flux")
        if not (np.ndim(flux) == 0 and 0 < flux < np.inf):
            raise OptionError(f"flux is {self.flux}", remedy="It must be positive.")
        if not self.n >= 0:
            raise OptionError(f"n is {self.n}", remedy="It must be 0 or more.")
        if not -_STEEPEST <= self.index <= _STEEPEST:
            raise OptionError(f"index is {self.index}", remedy=f"It must be within ±{_STEEPEST:g}.")

    def _sample(self, rng: np.random.Generator) -> QTable:
        lon, lat = draw_isotropic(self.n, rng=rng)
        unit = photon_flux(lambda e: power_law(e, 1.0, _PIVOT_MEV, self.index), _LOW_MEV, _HIGH_MEV)
        columns = {
            "Pivot_Energy": _PIVOT_MEV,
            "PL_Flux_Density": as_value(self.flux, FLUX, name="flux") / unit,
            "PL_Index": self.index,
        }
        spectra = {name: np.full(self.n, value) for name, value in columns.items()}
        spectra["SpectrumType"] = np.full(self.n, "PowerLaw")
        label = np.full(self.n, self.class_label)
        return source_table(lon, lat, label, spectra, steady_history(self.n))
