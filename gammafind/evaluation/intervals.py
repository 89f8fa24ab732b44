"""Bootstrap intervals over regions of the sky."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gammafind.errors import OptionError
from gammafind.evaluation.metrics import Evaluation

__all__ = ["bootstrap_interval", "resample"]


def bootstrap_interval(
    evaluation: Evaluation,
    statistic: Callable[[Evaluation], float],
    *,
    rng: np.random.Generator,
    n_draws: int = 200,
    level: float = 0.68,
) -> tuple[float, float]:
    """Interval of a statistic when the regions of the sky are drawn again with replacement.

    Whole regions are drawn, so that what neighbouring sources have in common (diffuse
    emission, confusion) enters the interval.

    Parameters
    ----------
    evaluation : Evaluation
    statistic : callable
        Such as ``lambda e: completeness_at_purity(e).completeness``. Draws where it is NaN
        are left out.
    rng : numpy.random.Generator
    n_draws : int
    level : float
        Probability content, between equal tails.

    Returns
    -------
    low, high : float
        NaN if the statistic was never a number.

    References
    ----------
    Efron 1979, doi:10.1214/aos/1176344552
    """
    if n_draws < 1 or not 0 < level < 1:
        raise OptionError(
            f"{n_draws} draws at level {level}",
            remedy="At least one draw, and a level between 0 and 1.",
        )
    draws = np.array([statistic(resample(evaluation, rng=rng)) for _ in range(n_draws)])
    draws = draws[~np.isnan(draws)]
    if len(draws) == 0:
        return np.nan, np.nan
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resample(evaluation: Evaluation, *, rng: np.random.Generator) -> Evaluation:
    """Draw as many regions as hold a detection or a source, with replacement."""
    blocks = np.union1d(evaluation.detection_block, evaluation.source_block).astype(int)
    if len(blocks) == 0:
        return evaluation
    drawn = rng.choice(blocks, size=len(blocks))
    times = np.bincount(drawn, minlength=blocks.max() + 1)
    detection = np.repeat(
        np.arange(len(evaluation.score)), times[evaluation.detection_block.astype(int)]
    )
    source = np.repeat(
        np.arange(len(evaluation.found_at)), times[evaluation.source_block.astype(int)]
    )
    return Evaluation(
        score=evaluation.score[detection],
        matched=evaluation.matched[detection],
        found_at=evaluation.found_at[source],
        detection_block=evaluation.detection_block[detection],
        source_block=evaluation.source_block[source],
    )
