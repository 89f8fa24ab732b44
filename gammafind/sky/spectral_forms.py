"""Forms of the photon spectra of the 4FGL catalogues, and their integrals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
"""Gauss-Legendre quadrature of integrals in ln E: accurate for all forms over decades."""
_SMALL = 1e-3
"""Below this the series is more accurate than the difference of exponentials."""
_HIGHEST = 300.0
"""Exponents above it are cut: their squares are finite still."""


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
    # Far from E0 a negative curvature has no bound; a fit that tries it must see finite numbers.
    y = np.minimum(exp_index * x, _HIGHEST)
    exponent = -x * (index + expfactor * x * _second_remainder(y))
    return amplitude * np.exp(np.minimum(exponent, _HIGHEST))


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
