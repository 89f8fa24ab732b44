"""Quality of a classification: accuracy, areas under curves, calibration, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gammafind.errors import ShapeError

__all__ = [
    "Reliability",
    "accuracy",
    "area_under_curve",
    "bootstrap",
    "class_accuracies",
    "confusion",
    "expected_calibration_error",
    "macro_area",
    "merge_classes",
    "reliability",
]


def confusion(truth: np.ndarray, named: np.ndarray, n_classes: int) -> np.ndarray:
    """Number of sources for each true class (rows) and predicted class (columns)."""
    places = np.asarray(truth) * n_classes + np.asarray(named)
    return np.bincount(places, minlength=n_classes**2).reshape(n_classes, n_classes)


def accuracy(truth: np.ndarray, named: np.ndarray) -> float:
    """Share of correctly classified sources; NaN without sources."""
    return float(np.mean(truth == named)) if len(truth) else np.nan


def class_accuracies(truth: np.ndarray, named: np.ndarray, n_classes: int) -> np.ndarray:
    """Share of correctly classified sources of each class, NaN without sources.

    Their mean is the balanced accuracy.
    """
    return np.array([accuracy(truth[truth == c], named[truth == c]) for c in range(n_classes)])


def area_under_curve(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the receiver operating characteristic.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
    score : ndarray, shape (n,)
        Higher for a larger probability of being positive.

    Returns
    -------
    float
        Share of the pairs of a positive and a negative in which the positive has the higher score;
        ties count half. NaN if all are of one kind.
    """
    from scipy.stats import rankdata

    positive = np.asarray(positive, dtype=bool)
    n, m = positive.sum(), (~positive).sum()
    if not (n and m):
        return np.nan
    return float((rankdata(score)[positive].sum() - n * (n + 1) / 2) / (n * m))


def macro_area(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean over the classes of the area under the curve of the class against all others."""
    n_classes = probability.shape[1]
    return float(
        np.nanmean([area_under_curve(truth == c, probability[:, c]) for c in range(n_classes)])
    )


def merge_classes(probability: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """Probabilities of groups of classes; classes outside all groups are ignored.

    Parameters
    ----------
    probability : ndarray, shape (n, n_classes)
    groups : list of list of int

    Returns
    -------
    ndarray, shape (n, len(groups))
        Normalised to a sum of one.
    """
    merged = np.stack([probability[:, group].sum(axis=1) for group in groups], axis=1)
    return merged / np.maximum(merged.sum(axis=1, keepdims=True), 1e-12)


@dataclass(frozen=True, eq=False)
class Reliability:
    """Predicted and true shares of correct labels in bins of the predicted probability.

    Attributes
    ----------
    predicted, true : ndarray, shape (n_bins,)
        Mean probability of the predicted class, and share of correct predictions; NaN in empty
        bins.
    number : ndarray of int, shape (n_bins,)
    """

    predicted: np.ndarray
    true: np.ndarray
    number: np.ndarray


def reliability(truth: np.ndarray, probability: np.ndarray, n_bins: int = 15) -> Reliability:
    """Compare the probability of the most probable class with the share of correct predictions.

    Parameters
    ----------
    truth : ndarray of int, shape (n,)
    probability : ndarray, shape (n, n_classes)
    n_bins : int
        Number of bins of equal width from 0 to 1.

    Raises
    ------
    ShapeError
        If the arrays differ in length.
    """
    if len(truth) != len(probability):
        raise ShapeError(f"{len(truth)} true classes for {len(probability)} sources")
    predicted, right = probability.max(axis=1), probability.argmax(axis=1) == truth
    place = np.clip((predicted * n_bins).astype(int), 0, n_bins - 1)
    number = np.bincount(place, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(place, predicted, minlength=n_bins) / number
        share = np.bincount(place, right, minlength=n_bins) / number
    return Reliability(mean, share, number)


def expected_calibration_error(
    truth: np.ndarray, probability: np.ndarray, n_bins: int = 15
) -> float:
    """Mean difference of predicted and true shares of correct labels, weighted by sources.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    bins = reliability(truth, probability, n_bins)
    filled = bins.number > 0
    weight = bins.number[filled] / max(bins.number.sum(), 1)
    return float(np.sum(weight * np.abs(bins.predicted[filled] - bins.true[filled])))


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    block: np.ndarray,
    *,
    n_draws: int = 400,
    level: float = 0.95,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Bootstrap interval of a statistic over blocks of sources, such as skies or regions.

    Parameters
    ----------
    statistic : callable
        Maps rows of sources to a number.
    block : ndarray, shape (n,)
        Block of each source.
    n_draws : int
    level : float
        Probability content of the interval.
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
