"""Flux from year to year: log-normal for blazars, steady for the others."""

from __future__ import annotations

import numpy as np

__all__ = ["N_YEARS", "draw_history", "fit_variability", "steady_history"]

N_YEARS = 10
_SIGNIFICANT = 20.0
_ONE_SIGMA = (0.1587, 0.5, 0.8413)
_LARGEST = 2.5
_WIDEST = 20.0
_BISECTIONS = 40


def fit_variability(fractional: np.ndarray, significance: np.ndarray) -> np.ndarray:
    """Distribution of fractional variability in a class.

    Only sources above 20 sigma count: of fainter ones the yearly noise hides what is small, and
    the catalogue says 0. Median and 68 % interval are taken rather than moments, so that the few
    zeros that remain (less than a sixth) tell that they are small, not how small.

    Parameters
    ----------
    fractional : ndarray, shape (n,)
        ``Frac_Variability``.
    significance : ndarray, shape (n,)
        ``Signif_Avg``.

    Returns
    -------
    ndarray, shape (2,)
        Median, and standard deviation of the logarithm; zero where no source is that
        significant.
    """
    bright = fractional[(significance > _SIGNIFICANT) & np.isfinite(fractional)]
    if len(bright) == 0:
        return np.zeros(2)
    low, median, high = np.quantile(bright, _ONE_SIGMA)
    spread = np.log(high / max(low, high * 1e-2)) / 2
    return np.array([median, spread])


def draw_history(n: int, variability: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Flux of each year over the mean of the ten.

    Parameters
    ----------
    n : int
    variability : ndarray, shape (2,)
        From `fit_variability`.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n, 10)
        Log-normal, independent from year to year. Each row has mean one, and the fractional
        variability that was drawn for it: like that of the catalogue it is that of ten years, which
        is less than that of the process.
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
    """Factors on the logarithms that give the wanted fractional variability, by bisection."""
    low, high = np.zeros(len(logs)), np.full(len(logs), _WIDEST)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = _relative(logs, middle).std(axis=1, ddof=1) > fractional
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2
