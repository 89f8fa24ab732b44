"""Learns from known skies what tells sources from all else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.optimize import minimize

from gammafind.networks.logits import sigmoid
from gammafind.networks.ranking import Layer, Ranking, outputs

__all__ = ["fit_ranking"]

_HIDDEN = (24, 24)
_RIDGE = 18.0
"""Penalty on the squares of weights, for all detections together."""
_STEPS = 300
_SEED = 0
"""Of the weights with which the search begins."""


def fit_ranking(known: np.ndarray, matched: np.ndarray) -> Ranking:
    """Fit the network of a `Ranking`: cross entropy, with a penalty on the squares of weights.

    Parameters
    ----------
    known : ndarray, shape (n, k)
        The evidence.
    matched : ndarray of bool, shape (n,)
        Which detections are sources.

    Returns
    -------
    Ranking
    """
    ridge = _RIDGE / len(known)
    mean, scale = known.mean(axis=0), np.maximum(known.std(axis=0), 1e-6)
    entries, truth = (known - mean) / scale, matched.astype(float)
    widths = (known.shape[1], *_HIDDEN, 1)

    def loss(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        layers = _layers(numbers, widths)
        values = outputs(entries, layers)
        logit = values[-1][:, 0]
        entropy = np.mean(np.logaddexp(0, logit) - truth * logit)
        error = ((sigmoid(logit) - truth) / len(truth))[:, None]
        slopes = []
        for before, (weights, _) in zip(values[-2::-1], layers[::-1], strict=True):
            slopes[:0] = [(before.T @ error).ravel(), error.sum(axis=0)]
            error = (error @ weights.T) * (1 - before**2)
        slope = np.concatenate(slopes) + 2 * ridge * numbers
        return entropy + ridge * numbers @ numbers, slope

    options = {"maxiter": _STEPS, "maxcor": 20}
    best = minimize(loss, _start(widths), jac=True, method="L-BFGS-B", options=options).x
    return Ranking(mean=mean, scale=scale, layers=_layers(best, widths))


def _start(widths: tuple[int, ...]) -> np.ndarray:
    """Random weights and no biases, in one row."""
    rng = np.random.default_rng(_SEED)
    parts = []
    for before, after in pairwise(widths):
        parts += [rng.normal(0, before**-0.5, before * after), np.zeros(after)]
    return np.concatenate(parts)


def _layers(numbers: np.ndarray, widths: tuple[int, ...]) -> list[Layer]:
    """Weights and biases of each layer, from one row."""
    layers, at = [], 0
    for before, after in pairwise(widths):
        weights = numbers[at : at + before * after].reshape(before, after)
        at += before * after
        layers.append((weights, numbers[at : at + after]))
        at += after
    return layers
