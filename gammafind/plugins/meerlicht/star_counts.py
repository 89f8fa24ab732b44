"""How many stars and galaxies of each magnitude there are."""

from __future__ import annotations

import numpy as np

__all__ = ["LIMIT", "draw_magnitudes", "galaxies_brighter", "sources_per_degree", "stars_brighter"]

LIMIT = 20.5
"""AB magnitude in q to which a frame of 60 s finds sources; numbers are normalised to it."""
_FIELD = 1.65**2
_LATITUDES = np.degrees(np.arcsin([0.16, 0.5, 0.84]))
_PER_FRAME = np.array([101225, 16268, 5315])
"""Of fields uniform on the sphere 84 % lie above the first latitude, where the 84 % quantile of the
survey's numbers of sources a frame in q belongs, since they fall with latitude."""
_GALAXY_SLOPE = 0.47


def sources_per_degree(latitude: float) -> float:
    """Sources brighter than 20.5 in q a square degree at a Galactic latitude in degrees.

    Log-linear between the latitudes that belong to the 16, 50 and 84 % quantiles of the survey's
    frames, and on to the plane; constant towards the pole.
    """
    b = min(abs(latitude), float(_LATITUDES[-1]))
    logs = np.log(_PER_FRAME / _FIELD)
    if b < _LATITUDES[0]:
        slope = (logs[1] - logs[0]) / (_LATITUDES[1] - _LATITUDES[0])
        return float(np.exp(logs[0] + slope * (b - _LATITUDES[0])))
    return float(np.exp(np.interp(b, _LATITUDES, logs)))


def stars_brighter(magnitude: np.ndarray, longitude: float, latitude: float) -> np.ndarray:
    """Stars a square degree brighter than a magnitude in V, good to 15 % above 20 deg latitude.

    Below 20 deg its form at 20 deg serves for the distribution over magnitudes.

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
    """Draw magnitudes whose cumulative distribution is given at ``steps``.

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
