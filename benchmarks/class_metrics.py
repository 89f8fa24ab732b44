"""What scikit-learn has no metric for: merged classes, calibration, intervals over skies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.calibration import calibration_curve

BINS = 15


def merge_classes(probability: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """Probabilities of groups of classes; classes in no group are left out of the sum.

    Parameters
    ----------
    probability : ndarray, shape (n, n_classes)
    groups : list of list of int

    Returns
    -------
    ndarray, shape (n, len(groups))
        They sum to one.
    """
    merged = np.stack([probability[:, group].sum(axis=1) for group in groups], axis=1)
    return merged / np.maximum(merged.sum(axis=1, keepdims=True), 1e-12)


def reliability(
    truth: np.ndarray, probability: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compare the probability of the most probable class with how often it is right.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
    probability : ndarray, shape (n, n_classes)

    Returns
    -------
    predicted, true : ndarray, shape (n_bins,)
        Mean probability of the class named, and share that is named rightly, in the bins of
        the predicted one that are not empty.
    number : ndarray of int, shape (n_bins,)
    """
    predicted, right = probability.max(axis=1), probability.argmax(axis=1) == truth
    share, mean = calibration_curve(right, predicted, n_bins=BINS)
    place = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], predicted)
    return mean, share, np.unique(place, return_counts=True)[1]


def expected_calibration_error(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean distance of predicted and true shares of right labels, weighted by sources.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    predicted, true, number = reliability(truth, probability)
    return float(np.average(np.abs(predicted - true), weights=number))


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    block: np.ndarray,
    *,
    n_draws: int = 400,
    level: float = 0.95,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Interval of a statistic over blocks of sources, such as skies, drawn with replacement.

    Parameters
    ----------
    statistic : callable
        From rows of sources to a number.
    block : ndarray, shape (n,)
        Block of each source.
    n_draws : int
    level : float
        Share of the draws within the interval.
    rng : numpy.random.Generator

    Returns
    -------
    tuple of float
    """
    rows = [np.flatnonzero(block == one) for one in np.unique(block)]
    drawn = [
        statistic(np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))]))
        for _ in range(n_draws)
    ]
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
