"""Magnitudes in all filters from the magnitude in one filter."""

from __future__ import annotations

import astropy.constants as const
import astropy.units as u
import numpy as np

from gammafind.plugins.meerlicht.filters import FILTERS

_N_WAVELENGTHS = 40
"""Wavelengths per filter: enough for a smooth spectrum."""
_H_OVER_K = (const.h / const.k_B).to_value(u.K * u.s)
_C = const.c.to_value(u.nm / u.s)


def colour(temperature: np.ndarray, name: str, *, reference: str = "q") -> np.ndarray:
    """Difference of the magnitudes of a black body in two filters.

    This approximates the spectra of stars, without lines and dust.

    Parameters
    ----------
    temperature : ndarray
        Kelvin.
    name, reference : str
        Keys of `gammafind.plugins.meerlicht.filters.FILTERS`.
    """
    mean = [_mean_density(np.asarray(temperature, dtype=float), one) for one in (name, reference)]
    return -2.5 * np.log10(mean[0] / mean[1])


def all_magnitudes(mag_q: np.ndarray, temperature: np.ndarray) -> dict[str, np.ndarray]:
    """AB magnitudes ``mag_u`` to ``mag_z`` of black bodies with a given magnitude in q."""
    return {f"mag_{name}": mag_q + colour(temperature, name) for name in FILTERS}


def _mean_density(temperature: np.ndarray, name: str) -> np.ndarray:
    """Flux density per frequency, averaged over photons in a filter, up to a common factor."""
    band = FILTERS[name]
    edges = np.log([band.low, band.high])
    frequency = _C / np.exp(np.linspace(*edges, _N_WAVELENGTHS))
    exponent = _H_OVER_K * frequency / temperature[..., None]
    return np.mean(frequency**3 / np.expm1(exponent), axis=-1)
