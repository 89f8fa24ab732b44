"""Positions of the sources of a class: isotropic, or in the Galactic plane."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from gammafind.plugins.fermi_lat.population.fluxes import draw_from_histogram
from gammafind.plugins.fermi_lat.population.marginals import quantile_table, values_of

LONGITUDE_EDGES = np.linspace(-180, 180, 73)
"""Edges (deg) of the bins of the distribution of longitudes."""
_SMOOTHING = 8.0
"""Width in degrees of the smoothing in longitude: balances noise and structure."""
_TURNS = 360 * np.arange(-1, 2)
"""Full turns in degrees, for the smoothing across the edge."""
_HEIGHTS = np.array([0.11, 0.012])
"""Heights of the two latitude Gaussians of the paper (sect. 2)."""
_SIGMAS = np.array([1.39, 19.2])
"""Their widths in degrees."""


def draw_isotropic(n: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw longitudes and latitudes (deg) uniform on the sphere."""
    lon = 360 * rng.random(n)
    return lon, np.degrees(np.arcsin(2 * rng.random(n) - 1))


def draw_latitudes(n: int, table: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Draw Galactic latitudes (deg), with equal numbers in north and south on average.

    Parameters
    ----------
    n : int
    table : ndarray, shape (33,)
        From `fit_latitudes`.
    rng : numpy.random.Generator
    """
    sign = np.where(rng.random(n) < 0.5, -1, 1)
    return sign * values_of(rng.standard_normal(n), table)


def draw_paper_latitudes(n: int, *, rng: np.random.Generator) -> np.ndarray:
    """Draw Galactic latitudes (deg) from the two Gaussians of the paper (sect. 2).

    Their heights are 0.11 and 0.012, their widths 1.39 and 19.2 deg; truncated at the poles.
    """
    area = _HEIGHTS * _SIGMAS
    sigma = np.where(rng.random(n) < area[0] / area.sum(), *_SIGMAS)
    inside = ndtr(90 / sigma) - 0.5
    return np.clip(sigma * ndtri(0.5 + inside * (2 * rng.random(n) - 1)), -90, 90)


def draw_longitudes(n: int, shares: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Draw Galactic longitudes (deg, 0 to 360) from the bins of `fit_longitudes`."""
    return draw_from_histogram(LONGITUDE_EDGES, shares, n, rng=rng) % 360


def fit_latitudes(lat: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Quantiles of the distance from the Galactic plane.

    Parameters
    ----------
    lat : ndarray, shape (n,)
        Galactic latitude in degrees.
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (33,)
        Quantiles of the absolute latitude, in degrees.
    """
    return quantile_table(np.abs(lat), weights)


def fit_longitudes(lon: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Distribution of Galactic longitude.

    Parameters
    ----------
    lon : ndarray, shape (n,)
        In degrees, 0 to 360.
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (72,)
        Share of each bin of `LONGITUDE_EDGES`, smoothed by a Gaussian of 8 deg around the circle.
    """
    offset = LONGITUDE_EDGES - (lon[:, np.newaxis, np.newaxis] + _TURNS[:, np.newaxis])
    share = np.diff(ndtr(offset / _SMOOTHING), axis=-1).sum(axis=1)
    total = weights @ share
    return total / total.sum()
