"""Distributions of one parameter: tables of quantiles, and the families of the paper."""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.special import ndtr

SCORES = np.linspace(-3, 3, 33)
"""Normal scores at which quantiles are stored."""


def quantile_table(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Quantiles at the probabilities of `SCORES`, shape (33,)."""
    weights = np.ones(len(values)) if weights is None else weights
    order = np.argsort(values, kind="stable")
    weights = weights[order]
    probability = (np.cumsum(weights) - weights / 2) / weights.sum()
    return np.interp(ndtr(SCORES), probability, values[order])


def values_of(scores: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Values with the given normal scores; limited to the range of the table."""
    return np.interp(scores, SCORES, table)


def scores_of(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Normal scores of values, the inverse of `values_of`."""
    return np.interp(values, table, SCORES)


def fit_family(family: str, values: np.ndarray) -> tuple[float, float]:
    """Fit a family by maximum likelihood.

    Parameters
    ----------
    family : {"norm", "lognorm", "gumbel_r", "cauchy"}
    values : ndarray

    Returns
    -------
    location, scale : float
        For ``lognorm`` those of ln(value).
    """
    values = np.log(values) if family == "lognorm" else values
    location, scale = _distribution(family).fit(values)
    return float(location), float(scale)


def family_values(
    scores: np.ndarray, family: str, parameters: np.ndarray, limits: tuple[float, float]
) -> np.ndarray:
    """Values of a truncated family with the given normal scores.

    Parameters
    ----------
    scores : ndarray
    family : str
    parameters : (float, float)
        From `fit_family`.
    limits : (float, float)
        The family is truncated at these and renormalised.
    """
    distribution = _distribution(family)(*parameters)
    with np.errstate(divide="ignore"):
        limits = np.log(limits) if family == "lognorm" else np.array(limits)
    low, high = distribution.cdf(limits)
    values = np.clip(distribution.ppf(low + (high - low) * ndtr(scores)), *limits)
    return np.exp(values) if family == "lognorm" else values


def _distribution(family: str) -> stats.rv_continuous:
    return stats.norm if family == "lognorm" else getattr(stats, family)
