"""Yearly fluxes: log-normal for blazars, steady for other classes."""

from __future__ import annotations

import numpy as np

N_YEARS = 10
_SIGNIFICANT = 20.0
"""Significance above which variability is measured: balances number and yearly noise."""
_ONE_SIGMA = (0.1587, 0.5, 0.8413)
"""Probabilities of the median and of one sigma on both sides."""
_LARGEST = 2.5
"""Largest fractional variability that ten years of this process can reach reliably."""
_WIDEST = 20.0
"""Upper end of the bisection for the width of the logarithms."""
_BISECTIONS = 40
"""Steps of the bisection: accurate to rounding."""


def fit_variability(fractional: np.ndarray, significance: np.ndarray) -> np.ndarray:
    """Distribution of fractional variability in a class.

    Only sources above 20 sigma are used: for fainter ones yearly noise hides a small variability,
    and the catalogue has 0. Median and 68 % interval are used instead of moments, so that the few
    remaining zeros (less than a sixth) count as small values, without an exact size.

    Parameters
    ----------
    fractional : ndarray, shape (n,)
        ``Frac_Variability``.
    significance : ndarray, shape (n,)
        ``Signif_Avg``.

    Returns
    -------
    ndarray, shape (2,)
        Median, and standard deviation of the logarithm; zero if no source is significant enough.
    """
    bright = fractional[(significance > _SIGNIFICANT) & np.isfinite(fractional)]
    if len(bright) == 0:
        return np.zeros(2)
    low, median, high = np.quantile(bright, _ONE_SIGMA)
    spread = np.log(high / max(low, high * 1e-2)) / 2
    return np.array([median, spread])


def draw_history(n: int, variability: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Flux of each year relative to the mean of ten years.

    Parameters
    ----------
    n : int
    variability : ndarray, shape (2,)
        From `fit_variability`.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n, 10)
        Log-normal, independent from year to year. Each row has the mean one and the fractional
        variability that was drawn for it. As in the catalogue, this is the variability in ten
        years, which is less than that of the process.
    """
    median, spread = variability
    fractional = median * np.exp(spread * rng.standard_normal(n))
    logs = rng.standard_normal((n, N_YEARS))
    return _relative(logs, _widths(logs, np.minimum(fractional, _LARGEST)))


def steady_history(n: int) -> np.ndarray:
    """Ones, shape (n, 10)."""
    return np.ones((n, N_YEARS))


def _relative(logs: np.ndarray, width: np.ndarray) -> np.ndarray:
    history = np.exp(width[:, np.newaxis] * logs)
    return history / history.mean(axis=1, keepdims=True)


def _widths(logs: np.ndarray, fractional: np.ndarray) -> np.ndarray:
    """Factors for the logarithms that give the required fractional variability, by bisection."""
    low, high = np.zeros(len(logs)), np.full(len(logs), _WIDEST)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = _relative(logs, middle).std(axis=1, ddof=1) > fractional
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2
