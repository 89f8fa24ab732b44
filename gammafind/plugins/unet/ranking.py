"""How probable a detection is and how far off, by what network and likelihood say of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.errors import OptionError
from gammafind.measure.flux_fit import FluxFit
from gammafind.plugins.unet.peaks import sigmoid

__all__ = ["Ranking", "evidence", "relative_ts", "terms"]

_LEAST = 1e-6
_LEAST_UNEVENNESS = 0.01


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Probability as a logistic function of `evidence`, quadratic in it.

    Parameters
    ----------
    mean, scale : tuple of float, length k
        Each entry of the evidence enters less its mean, over its scale.
    weights : tuple of float
        Of 1, of the entries, and of their products, k (k + 3) / 2 + 1 numbers.
    error_scale, error_slope : float
        True position errors over those of the network at a TS of 100, and the power of TS with
        which this changes.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    error_scale: float = 1.0
    error_slope: float = 0.0

    def __post_init__(self) -> None:
        k = len(self.mean)
        errors = [self.error_scale, self.error_slope]
        numbers = np.asarray([*self.mean, *self.scale, *self.weights, *errors])
        if not (
            len(self.scale) == k
            and len(self.weights) == k * (k + 3) // 2 + 1
            and np.all(np.isfinite(numbers))
            and np.all(np.asarray([*self.scale, self.error_scale]) > 0)
        ):
            raise OptionError("the numbers of the ranking do not belong together")

    def probability(self, entries: np.ndarray) -> np.ndarray:
        """Probability that each detection is a source.

        Parameters
        ----------
        entries : ndarray, shape (n, k)
            From `evidence`.

        Returns
        -------
        ndarray, shape (n,)
        """
        scaled = (entries - np.asarray(self.mean)) / np.asarray(self.scale)
        return sigmoid(terms(scaled) @ np.asarray(self.weights))

    def error_factor(self, ts: np.ndarray) -> np.ndarray:
        """True position errors over those of the network, of detections of fitted TS."""
        return self.error_scale * relative_ts(ts) ** self.error_slope


def evidence(
    score: np.ndarray, sigma: np.ndarray, fit: FluxFit, unevenness: np.ndarray
) -> np.ndarray:
    """What is known of each detection.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Probability by the network alone.
    sigma : ndarray, shape (n,)
        Its position error in pixels of the finest band.
    fit : FluxFit
    unevenness : ndarray, shape (n,)
        By how much the background about it was off, as a logarithm.

    Returns
    -------
    ndarray, shape (n, k)
        Logit of the score, and logarithms: of sigma, of the background, of the unevenness and
        0.01, of each TS and 1.
    """
    score = np.clip(score, _LEAST, 1 - _LEAST)
    columns = [
        np.log(score / (1 - score)),
        np.log(sigma),
        np.log(np.maximum(fit.background, _LEAST)).mean(axis=1),
        np.log(unevenness + _LEAST_UNEVENNESS),
        *np.log1p(fit.ts.T),
    ]
    return np.stack(columns, axis=1)


def relative_ts(ts: np.ndarray) -> np.ndarray:
    """TS over 100, between 0.1 and 1000."""
    return np.clip(np.asarray(ts) / 100, 0.1, 1000)


def terms(scaled: np.ndarray) -> np.ndarray:
    """1, the entries, and their products, shape (n, k (k + 3) / 2 + 1)."""
    n, k = scaled.shape
    first, second = np.triu_indices(k)
    return np.concatenate([np.ones((n, 1)), scaled, scaled[:, first] * scaled[:, second]], axis=1)
