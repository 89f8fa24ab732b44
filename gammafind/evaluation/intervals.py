"""Intervals of shares: bootstrap over regions of the sky, and of a binomial."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gammafind.errors import OptionError
from gammafind.evaluation.metrics import Evaluation

_TAILS = [(1 - 0.68) / 2, (1 + 0.68) / 2]
"""Quantiles at the ends of the interval, which holds 68 %."""
_LEAST_REGIONS = 5
"""Smallest number of regions: fewer do not show how much regions differ."""


def bootstrap_interval(
    evaluation: Evaluation,
    statistic: Callable[[Evaluation], float | np.ndarray],
    *,
    rng: np.random.Generator,
    n_draws: int = 200,
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a statistic if the regions of the sky are drawn again with replacement.

    Whole regions are drawn. So the interval includes the correlation of neighbouring sources
    (diffuse emission, confusion).

    Parameters
    ----------
    evaluation : Evaluation
    statistic : callable
        Such as ``lambda e: completeness_at_purity(e).completeness``; one number, or an array of
        them. It gets the rows of ``evaluation`` with the number of times that each counts. Draws
        with NaN are ignored.
    rng : numpy.random.Generator
    n_draws : int

    Returns
    -------
    low, high : ndarray, of the shape of the statistic
        Ends of the 68 % interval, with equal tails. NaN if the statistic was never a number, or if
        detections and sources are in fewer than five regions, as for an image.

    References
    ----------
    Efron 1979, doi:10.1214/aos/1176344552
    """
    if n_draws < 1:
        raise OptionError(f"{n_draws} draws", remedy="Use at least one.")
    if len(_regions(evaluation)) < _LEAST_REGIONS:
        unknown = np.full(np.shape(statistic(evaluation)), np.nan)
        return unknown, unknown.copy()
    draws = np.array(
        [statistic(resample(evaluation, rng=rng)) for _ in range(n_draws)], dtype=float
    )
    never = np.isnan(draws).all(axis=0)
    low, high = np.nanquantile(np.where(never, 0, draws), _TAILS, axis=0)
    return np.where(never, np.nan, low), np.where(never, np.nan, high)


def resample(evaluation: Evaluation, *, rng: np.random.Generator) -> Evaluation:
    """Draw regions with replacement, as many as contain a detection or a source.

    The rows do not change; `Evaluation.detection_times` and `Evaluation.source_times` are the
    number of times that their region was drawn.
    """
    here, there = evaluation.detection_block, evaluation.source_block
    blocks = _regions(evaluation)
    if len(blocks) == 0:
        return evaluation
    times = np.bincount(rng.choice(blocks, size=len(blocks)), minlength=blocks.max() + 1)
    return evaluation.counting(times[here], times[there])


def _regions(evaluation: Evaluation) -> np.ndarray:
    """Regions that contain a detection or a source."""
    return np.union1d(evaluation.detection_block, evaluation.source_block)


def binomial_interval(found: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interval of a share that is known from ``found`` of ``number`` independent trials.

    Parameters
    ----------
    found, number : ndarray of int, shape (n,)

    Returns
    -------
    low, high : ndarray, shape (n,)
        Ends of the 68 % interval of Jeffreys: quantiles of the posterior with the prior Beta(1/2,
        1/2). The lower end is 0 where none is found, the upper one is 1 where all are.

    References
    ----------
    Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286
    """
    from scipy.stats import beta

    found, number = np.asarray(found), np.asarray(number)
    low, high = (beta.ppf(q, found + 0.5, number - found + 0.5) for q in _TAILS)
    return np.where(found == 0, 0.0, low), np.where(found == number, 1.0, high)
