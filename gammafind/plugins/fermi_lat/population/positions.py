"""Where the sources of a class are: isotropic, or in the Galactic plane."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from gammafind.plugins.fermi_lat.population.fluxes import draw_from_histogram

__all__ = [
    "LONGITUDE_EDGES",
    "PAPER_LATITUDES",
    "draw_galactic",
    "draw_isotropic",
    "fit_latitudes",
    "fit_longitudes",
]

LONGITUDE_EDGES = np.linspace(-180, 180, 73)
"""Edges (deg) of the bins in which the distribution of longitudes is kept."""
_SMOOTHING = 8.0
_TURNS = 360 * np.arange(-1, 2)
_STEPS = 300


def _latitude_mixture(height: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    area = height * sigma
    return np.array([area[0] / area.sum(), *sigma])


PAPER_LATITUDES = _latitude_mixture(np.array([0.11, 0.012]), np.array([1.39, 19.2]))
"""Share of the narrow Gaussian, and both widths in degrees, of the paper (sect. 2): heights 0.11
and 0.012."""


def draw_isotropic(n: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw longitudes and latitudes (deg) uniform on the sphere."""
    lon = 360 * rng.random(n)
    return lon, np.degrees(np.arcsin(2 * rng.random(n) - 1))


def draw_galactic(
    n: int, latitudes: np.ndarray, longitudes: np.ndarray, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw longitudes and latitudes (deg) of Galactic sources.

    Parameters
    ----------
    n : int
    latitudes : ndarray, shape (3,)
        From `fit_latitudes`, or `PAPER_LATITUDES`.
    longitudes : ndarray, shape (72,)
        From `fit_longitudes`.
    rng : numpy.random.Generator
    """
    narrow, *sigmas = latitudes
    sigma = np.where(rng.random(n) < narrow, *sigmas)
    inside = ndtr(90 / sigma) - 0.5
    lat = sigma * ndtri(0.5 + inside * (2 * rng.random(n) - 1))
    lon = draw_from_histogram(LONGITUDE_EDGES, longitudes, n, rng=rng)
    return lon % 360, np.clip(lat, -90, 90)


def fit_latitudes(lat: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fit the sum of two Gaussians about the plane by expectation maximisation.

    Parameters
    ----------
    lat : ndarray, shape (n,)
        Galactic latitude in degrees.
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (3,)
        Share of the narrow one, and both widths in degrees.
    """
    narrow, sigma = PAPER_LATITUDES[0], PAPER_LATITUDES[1:]
    for _ in range(_STEPS):
        density = np.exp(-0.5 * (lat[:, np.newaxis] / sigma) ** 2) / sigma
        density *= [narrow, 1 - narrow]
        member = weights[:, np.newaxis] * density / density.sum(axis=1, keepdims=True)
        total = member.sum(axis=0)
        narrow = total[0] / total.sum()
        sigma = np.sqrt((member * lat[:, np.newaxis] ** 2).sum(axis=0) / total)
    return np.array([narrow, *sigma])


def fit_longitudes(lon: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fit the distribution of Galactic longitude.

    Parameters
    ----------
    lon : ndarray, shape (n,)
        In degrees.
    weights : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (72,)
        Share of each bin of `LONGITUDE_EDGES`, smoothed by a Gaussian of 8 deg around the circle.
    """
    offset = LONGITUDE_EDGES - (lon[:, np.newaxis, np.newaxis] + _TURNS[:, np.newaxis])
    # Farther turns hold less than 1e-100 of a Gaussian of 8 degrees.
    share = np.diff(ndtr(offset / _SMOOTHING), axis=-1).sum(axis=1)
    total = weights @ share
    return total / total.sum()
