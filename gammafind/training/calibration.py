"""What scores and position errors mean: fits to detections whose sources are known."""

from __future__ import annotations

import numpy as np
from scipy.optimize import isotonic_regression

from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.networks.calibration import Calibration
from gammafind.networks.ranking import relative_ts

SURE = 1e-7
"""Scores are nearer to neither 0 nor 1: there 32 bits end."""
_BINS = 14
"""Bins of the calibration: enough to follow its curve, each with some hundred detections."""
_FEW = 50
"""Sources from fewer of which no trend of position errors is learned."""


def fit_calibration(logits: np.ndarray, matched: np.ndarray) -> Calibration:
    """Share of true detections against the score, rising.

    Parameters
    ----------
    logits : ndarray, shape (n,)
    matched : ndarray of bool, shape (n,)

    Returns
    -------
    Calibration
        Of bins with as many detections each, joined where shares do not rise (Zadrozny & Elkan
        2002, doi:10.1145/775047.775151).
    """
    parts = [part for part in np.array_split(np.argsort(logits), _BINS) if len(part)]
    if not parts:
        return Calibration()
    bins = np.array([[logits[part].sum(), matched[part].sum(), len(part)] for part in parts])
    bins = _rising(bins)
    return Calibration(
        logits=tuple((bins[:, 0] / bins[:, 2]).tolist()), probabilities=tuple(_share(bins).tolist())
    )


def fit_error_trend(relative: np.ndarray, ts: np.ndarray) -> tuple[float, float]:
    """Factor on position errors as a power of TS.

    Parameters
    ----------
    relative : ndarray, shape (n,)
        Offsets over the predicted 68 % errors.
    ts : ndarray, shape (n,)
        Fitted.

    Returns
    -------
    scale : float
        Factor at a TS of 100, by `fit_error_scale`.
    slope : float
        Power, by least squares of the logarithms, in which a factor is alike for all offsets.
    """
    known = relative > 0
    if np.count_nonzero(known) < _FEW:
        return 1.0, 0.0
    relative, ts = relative[known], relative_ts(ts[known])
    slope = float(np.polyfit(np.log(ts), np.log(relative), 1)[0])
    return fit_error_scale(relative / ts**slope), slope


def fit_error_scale(relative: np.ndarray) -> float:
    """Factor on position errors with which they hold 68 % and 95 % of the true positions best.

    Where offsets have wider tails than a Gaussian no factor is right for both. The one is taken
    that is least off, the share at 95 % counting half as much again as that at 68 %.

    Parameters
    ----------
    relative : ndarray, shape (n,)
        Offsets over the predicted 68 % errors; without any the factor is 1.
    """
    if not len(relative):
        return 1.0
    scales = np.geomspace(0.3, 3, 461)
    radii = np.sort(relative)
    low, high = (
        np.searchsorted(radii, factor * scales) / len(radii) for factor in (1.0, R95_OVER_R68)
    )
    off = np.maximum(np.abs(low - 0.68), 1.5 * np.abs(high - 0.95))
    return float(scales[off.argmin()])


def _rising(bins: np.ndarray) -> np.ndarray:
    """Join neighbouring bins until their shares rise.

    The columns are summed logits, true detections and detections. A joined share is not the
    mean of its parts, because no share may be 0 or 1, so the step is repeated.
    """
    starts = isotonic_regression(_share(bins), weights=bins[:, 2]).blocks[:-1]
    return bins if len(starts) == len(bins) else _rising(np.add.reduceat(bins, starts))


def _share(bins: np.ndarray) -> np.ndarray:
    """Share of true detections of each bin, never 0 or 1."""
    return (bins[:, 1] + 0.5) / (bins[:, 2] + 1)
