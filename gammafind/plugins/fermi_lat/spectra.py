"""Spectra of sources: the forms of the 4FGL catalogues and their integrals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError, ShapeError
from gammafind.units import ENERGY_FLUX, FLUX, as_value

DIFFERENTIAL_FLUX = u.Unit("cm-2 s-1 MeV-1")
"""Photon flux per energy."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
"""Gauss-Legendre quadrature of integrals in ln E: accurate for all forms over decades."""
_SMALL = 1e-3
"""Below this the series is more accurate than the difference of exponentials."""


def power_law(
    energy: np.ndarray, amplitude: np.ndarray, pivot: np.ndarray, index: np.ndarray
) -> np.ndarray:
    """Power law ``F0 (E/E0)^-index``.

    Parameters
    ----------
    energy, amplitude, pivot, index : array_like
        Energies E and E0 in MeV; F0 in any unit, which is also that of the result. All shapes
        broadcast.

    Returns
    -------
    ndarray

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, sect. 3.3.
    """
    return amplitude * np.exp(-index * np.log(energy / pivot))


def log_parabola(
    energy: np.ndarray,
    amplitude: np.ndarray,
    pivot: np.ndarray,
    index: np.ndarray,
    beta: np.ndarray,
) -> np.ndarray:
    """Log-parabola ``F0 (E/E0)^(-index - beta ln(E/E0))``, the sign of 4FGL.

    Parameters
    ----------
    energy, amplitude, pivot, index, beta : array_like
        As in `power_law`; ``beta`` > 0 curves downwards.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, eq. 2.
    """
    x = np.log(energy / pivot)
    return amplitude * np.exp(-(index + beta * x) * x)


def plec(
    energy: np.ndarray,
    amplitude: np.ndarray,
    pivot: np.ndarray,
    index: np.ndarray,
    expfactor: np.ndarray,
    exp_index: np.ndarray,
) -> np.ndarray:
    """Power law with cut-off of 4FGL DR1 and DR2, ``F0 (E/E0)^-index exp(a (E0^b - E^b))``.

    Parameters
    ----------
    energy, amplitude, pivot, index : array_like
        As in `power_law`.
    expfactor : array_like
        The factor a, in MeV^-b (column ``PLEC_Expfactor``).
    exp_index : array_like
        The exponent b (column ``PLEC_Exp_Index``).

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, eq. 4.
    """
    cutoff = expfactor * (np.power(pivot, exp_index) - np.power(energy, exp_index))
    return amplitude * np.exp(cutoff - index * np.log(energy / pivot))


def plec4(
    energy: np.ndarray,
    amplitude: np.ndarray,
    pivot: np.ndarray,
    index: np.ndarray,
    expfactor: np.ndarray,
    exp_index: np.ndarray,
) -> np.ndarray:
    """Power law with cut-off of 4FGL DR3 and DR4, in terms of slope and curvature at E0.

    ``F0 (E/E0)^(d/b - s) exp(d/b^2 (1 - (E/E0)^b))``, with its limit for small b ln(E/E0), the
    log-parabola with beta = d/2.

    Parameters
    ----------
    energy, amplitude, pivot : array_like
        As in `power_law`.
    index : array_like
        The local index s at E0 (column ``PLEC_IndexS``).
    expfactor : array_like
        The local curvature d at E0 (column ``PLEC_ExpfactorS``).
    exp_index : array_like
        The exponent b (column ``PLEC_Exp_Index``).

    References
    ----------
    Abdollahi et al. 2022, ApJS 260, 53, eqs. 2 and 3; Ballet et al. 2023, arXiv:2307.12546.
    """
    x = np.log(energy / pivot)
    return amplitude * np.exp(-x * (index + expfactor * x * _second_remainder(exp_index * x)))


def photon_flux(
    spectrum: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Integral of a spectrum between two energies, by Gauss-Legendre quadrature in ln E.

    Parameters
    ----------
    spectrum : callable
        Maps energies of shape ``(..., 64)`` to values of shape ``(..., 64)``, with any
        axes (sources) in front.
    low, high : array_like
        Edges in MeV; their broadcast shape is the ``...`` of the nodes.

    Returns
    -------
    ndarray
        The shape of the values without the last axis.
    """
    energy, weight = _nodes(low, high)
    return np.sum(spectrum(energy) * (energy * weight), axis=-1)


def energy_flux(
    spectrum: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Integral of energy times a spectrum between two energies; otherwise as `photon_flux`."""
    energy, weight = _nodes(low, high)
    return np.sum(spectrum(energy) * (energy**2 * weight), axis=-1)


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


def _second_remainder(y: np.ndarray) -> np.ndarray:
    """Return ``(exp(y) - 1 - y) / y^2``, which is 1/2 at 0."""
    small = np.abs(y) < _SMALL
    safe = np.where(small, 1.0, y)
    series = 0.5 + y / 6 + y**2 / 24
    return np.where(small, series, (np.expm1(safe) - safe) / safe**2)


def _nodes(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energies and weights in ln E, shape (..., 64)."""
    start, stop = np.log(low)[..., np.newaxis], np.log(high)[..., np.newaxis]
    half = (stop - start) / 2
    return np.exp(start + half * (1 + _NODES)), half * _WEIGHTS


def _edges(low: Quantity, high: Quantity) -> tuple[np.ndarray, np.ndarray]:
    edges = [
        np.asarray(as_value(edge, u.MeV, name=name), dtype=float)
        for edge, name in ((low, "low"), (high, "high"))
    ]
    if not (np.all(edges[0] > 0) and np.all(edges[0] < edges[1])):
        raise OptionError(f"edges run from {low} to {high}", remedy="They must be 0 < low < high.")
    return edges[0], edges[1]
