"""The King function, and the PSF of the LAT as the sum of two of them."""

from __future__ import annotations

import numpy as np


def king(x: np.ndarray, sigma: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """King function, normalised to one over the plane.

    Parameters
    ----------
    x : ndarray
        Scaled angular deviation.
    sigma : ndarray
        Width, in the unit of ``x``.
    gamma : ndarray
        Index of the tail, above one.

    References
    ----------
    King 1962, AJ 67, 471, DOI 10.1086/108756; Ackermann et al. 2013, ApJ 765, 54,
    DOI 10.1088/0004-637X/765/1/54.
    """
    norm = (1 - 1 / gamma) / (2 * np.pi * sigma**2)
    return norm * (1 + x**2 / (2 * gamma * sigma**2)) ** -gamma


def core_fraction(tail: np.ndarray, core_width: np.ndarray, tail_width: np.ndarray) -> np.ndarray:
    """Fraction of the counts in the core, ``1 / (1 + NTAIL STAIL**2 / SCORE**2)``."""
    return 1 / (1 + tail * tail_width**2 / core_width**2)


def double_king(
    x: np.ndarray,
    tail: np.ndarray,
    core_width: np.ndarray,
    tail_width: np.ndarray,
    core_gamma: np.ndarray,
    tail_gamma: np.ndarray,
) -> np.ndarray:
    """Core plus tail, normalised to one over the plane of ``x``.

    Parameters
    ----------
    x : ndarray
        Angular deviation divided by the scale factor.
    tail, core_width, tail_width, core_gamma, tail_gamma : ndarray
        NTAIL, SCORE, STAIL, GCORE, GTAIL of the response file.

    References
    ----------
    Fermi-LAT Cicerone, "LAT PSF".
    """
    fraction = core_fraction(tail, core_width, tail_width)
    return fraction * king(x, core_width, core_gamma) + (1 - fraction) * king(
        x, tail_width, tail_gamma
    )


def scale_factor(energy: np.ndarray, c0: float, c1: float, beta: float) -> np.ndarray:
    """Energy scaling of the PSF in radians, ``sqrt((c0 (E / 100 MeV)**-beta)**2 + c1**2)``.

    Parameters
    ----------
    energy : ndarray
        In MeV.
    c0, c1 : float
        Radians.
    beta : float
        Positive. The response files store it with a minus sign.
    """
    return np.hypot(c0 * (energy / 100) ** -beta, c1)
