"""Spectra of sources: the forms of the 4FGL catalogues and their integrals."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError, ShapeError
from gammafind.sky.spectral_forms import (
    energy_flux,
    log_parabola,
    photon_flux,
    plec,
    plec4,
    power_law,
)
from gammafind.units import ENERGY_FLUX, FLUX, as_value

DIFFERENTIAL_FLUX = u.Unit("cm-2 s-1 MeV-1")
"""Photon flux per energy."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SourceSpectra:
    """Spectra of N sources with different forms.

    Parameters
    ----------
    kind : ndarray of str, shape (N,)
        One of `SPECTRUM_TYPES` for each source.
    amplitude : Quantity, shape (N,)
        Photon flux per energy at the pivot energy, F0.
    pivot : Quantity, shape (N,)
        Pivot energy, E0.
    index : ndarray, shape (N,)
        Photon index: that of the power law, of the log-parabola at E0, Gamma of
        ``PLSuperExpCutoff``, or the slope at E0 of ``PLSuperExpCutoff4``.
    curvature : ndarray, shape (N,)
        beta of the log-parabola, a of `plec` (MeV^-b), d of `plec4`; not used for power laws.
    exp_index : ndarray, shape (N,)
        b of `plec` and `plec4`; not used for the others.

    Raises
    ------
    ShapeError
        If the arrays are not one-dimensional and of equal length.
    OptionError
        If a kind is unknown or a unit cannot be converted.
    """

    kind: np.ndarray
    amplitude: Quantity
    pivot: Quantity
    index: np.ndarray
    curvature: np.ndarray
    exp_index: np.ndarray

    def __post_init__(self) -> None:
        shapes = {name: np.shape(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(shapes.values())) != 1 or len(shapes["kind"]) != 1:
            raise ShapeError(f"parameters have the shapes {shapes}", remedy="All must be (N,).")
        unknown = sorted(set(np.unique(self.kind)) - set(SPECTRUM_TYPES))
        if unknown:
            raise OptionError(
                f"unknown form of spectrum: {', '.join(unknown)}",
                remedy=f"Known are {', '.join(SPECTRUM_TYPES)}.",
            )
        as_value(self.amplitude, DIFFERENTIAL_FLUX, name="amplitude")
        as_value(self.pivot, u.MeV, name="pivot")

    def __len__(self) -> int:
        return len(self.kind)

    def __getitem__(self, chosen: np.ndarray | slice) -> SourceSpectra:
        """Select sources by a mask, indices or a slice."""
        return SourceSpectra(
            **{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__}
        )

    def differential(self, energy: Quantity) -> Quantity:
        """Photon flux per energy.

        Parameters
        ----------
        energy : Quantity
            Energies of any shape.

        Returns
        -------
        Quantity, shape (N, ...)
            The shape of ``energy`` follows that of the sources.
        """
        return self._evaluate(np.asarray(as_value(energy, u.MeV, name="energy"))) * (
            DIFFERENTIAL_FLUX
        )

    def flux(self, low: Quantity, high: Quantity) -> Quantity:
        """Photon flux between two energies.

        Parameters
        ----------
        low, high : Quantity
            Edges, scalars or arrays that broadcast to ``(...)``: many bands at once.

        Returns
        -------
        Quantity, shape (N, ...)
            In cm-2 s-1.
        """
        return photon_flux(self._evaluate, *_edges(low, high)) * FLUX

    def energy_flux(self, low: Quantity, high: Quantity) -> Quantity:
        """Energy flux between two energies, in erg cm-2 s-1; otherwise as `flux`."""
        value = energy_flux(self._evaluate, *_edges(low, high))
        return (value * u.MeV.to(u.erg)) * ENERGY_FLUX

    def _evaluate(self, energy: np.ndarray) -> np.ndarray:
        """Values in cm-2 s-1 MeV-1 at energies in MeV, shape (N, *energy.shape)."""
        column = (-1,) + (1,) * energy.ndim
        values = np.empty((len(self), *energy.shape))
        for kind, function in _FORMS.items():
            chosen = np.flatnonzero(self.kind == kind)
            if chosen.size:
                parameters = [array[chosen].reshape(column) for array in self._parameters(kind)]
                values[chosen] = function(energy, *parameters)
        return values

    def _parameters(self, kind: str) -> tuple[np.ndarray, ...]:
        common = (
            self.amplitude.to_value(DIFFERENTIAL_FLUX),
            self.pivot.to_value(u.MeV),
            np.asarray(self.index, dtype=float),
        )
        shape = np.asarray(self.curvature, dtype=float), np.asarray(self.exp_index, dtype=float)
        return common + shape[: _N_SHAPE[kind]]


_FORMS = {
    "PowerLaw": power_law,
    "LogParabola": log_parabola,
    "PLSuperExpCutoff": plec,
    "PLSuperExpCutoff4": plec4,
}
_N_SHAPE = {"PowerLaw": 0, "LogParabola": 1, "PLSuperExpCutoff": 2, "PLSuperExpCutoff4": 2}

SPECTRUM_TYPES = tuple(_FORMS)
"""Names of the forms in the catalogues; ``PLSuperExpCutoff4`` is used in DR3 and DR4."""


def _edges(low: Quantity, high: Quantity) -> tuple[np.ndarray, np.ndarray]:
    edges = [
        np.asarray(as_value(edge, u.MeV, name=name), dtype=float)
        for edge, name in ((low, "low"), (high, "high"))
    ]
    if not (np.all(edges[0] > 0) and np.all(edges[0] < edges[1])):
        raise OptionError(f"edges run from {low} to {high}", remedy="They must be 0 < low < high.")
    return edges[0], edges[1]
