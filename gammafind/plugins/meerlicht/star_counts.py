"""Numbers of stars and galaxies by magnitude."""

from __future__ import annotations

import numpy as np

LIMIT = 20.5
"""AB magnitude in q of the limit of a frame of 60 s; numbers are normalised to it."""
_FIELD = 1.65**2
"""Area of a frame in square degrees."""
_LATITUDES = np.degrees(np.arcsin([0.16, 0.5, 0.84]))
"""Latitudes with 84, 50 and 16 % of the sphere above them."""
_PER_FRAME = np.array([101225, 16268, 5315])
"""84, 50 and 16 % quantiles of the number of sources per frame in q of the survey. They belong to
the latitudes with 84, 50 and 16 % of the sphere above them, because numbers decrease with
latitude."""
_GALAXY_SLOPE = 0.47
"""Slope of log10 of the number of galaxies per magnitude (Yasuda et al. 2001)."""


def sources_per_degree(latitude: float) -> float:
    """Sources per square degree brighter than 20.5 in q at a Galactic latitude in degrees.

    Log-linear between the latitudes of the 16, 50 and 84 % quantiles of the survey frames, and
    extrapolated to the plane; constant towards the pole.
    """
    b = min(abs(latitude), float(_LATITUDES[-1]))
    logs = np.log(_PER_FRAME / _FIELD)
    if b < _LATITUDES[0]:
        slope = (logs[1] - logs[0]) / (_LATITUDES[1] - _LATITUDES[0])
        return float(np.exp(logs[0] + slope * (b - _LATITUDES[0])))
    return float(np.exp(np.interp(b, _LATITUDES, logs)))


def stars_brighter(magnitude: np.ndarray, longitude: float, latitude: float) -> np.ndarray:
    """Stars per square degree brighter than a magnitude in V, accurate to 15 % above 20 deg.

    Below 20 deg latitude, the distribution of magnitudes is that at 20 deg.

    Parameters
    ----------
    magnitude : ndarray
        From 5 to 30.
    longitude, latitude : float
        Galactic, in degrees.

    References
    ----------
    Bahcall & Soneira 1980, doi:10.1086/190685, appendix B
    """
    m = np.asarray(magnitude, dtype=float)
    b = np.radians(np.clip(abs(latitude), 20, 90))
    cos_l, cos_b, sin_b = np.cos(np.radians(longitude)), np.cos(b), np.sin(b)
    mu = np.clip(0.0075 * (m - 12) + 0.03, 0.03, 0.09)
    gamma = np.clip(0.04 * (12 - m) + 0.36, 0.04, 0.36)
    sigma = 1.45 - 0.20 * cos_b * cos_l
    disk = 925 * 10 ** (0.035 * (m - 15.75)) / (1 + 10 ** (-0.132 * (m - 15.75))) ** 3.0
    disk /= (sin_b * (1 - mu * cos_b / sin_b * cos_l)) ** (3 - 5 * gamma)
    halo = 1050 * 10 ** (0.087 * (m - 17.5)) / (1 + 10 ** (-0.180 * (m - 17.5))) ** 2.5
    return disk + halo / (1 - cos_b * cos_l) ** sigma


def galaxies_brighter(magnitude: np.ndarray) -> np.ndarray:
    """Galaxies brighter than a magnitude, relative to those brighter than 20.5.

    References
    ----------
    Yasuda et al. 2001, doi:10.1086/322093: slopes near 0.47 from magnitude 16 to 21
    """
    return 10 ** (_GALAXY_SLOPE * (np.asarray(magnitude, dtype=float) - LIMIT))


def draw_magnitudes(
    brighter: np.ndarray, steps: np.ndarray, n: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Draw magnitudes from a cumulative distribution given at ``steps``.

    Parameters
    ----------
    brighter : ndarray, shape (m,)
        Numbers brighter than each of ``steps``, increasing.
    steps : ndarray, shape (m,)
    n : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n,)
    """
    return np.interp(rng.uniform(brighter[0], brighter[-1], n), brighter, steps)
