"""Learns from known skies which detections are sources."""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import numpy as np

from gammafind.errors import MissingBackendError, TrainingError
from gammafind.networks.ranking import Ranking

_HIDDEN = (24, 24)
_RIDGE = 36.0
"""Penalty on the squares of weights, over twice the number of detections."""
_STEPS = 300
_SEED = 0
"""Of the weights with which the search begins."""


def check_ranking_fitter() -> None:
    """Make sure that a ranking can be fitted; a training calls it before it begins.

    Raises
    ------
    MissingBackendError
        If scikit-learn is not installed.
    """
    if find_spec("sklearn") is None:
        raise MissingBackendError(
            "the ranking of detections is fitted by scikit-learn, which is not installed",
            remedy="pip install 'gammafind[train]'",
        )


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

    Raises
    ------
    MissingBackendError
        As `check_ranking_fitter`.
    TrainingError
        If all detections are sources, or none is.
    """
    check_ranking_fitter()
    if matched.all() or not matched.any():
        raise TrainingError(
            f"the ranking learns from {int(matched.sum())} sources among {len(matched)} detections",
            remedy="It needs true and false ones: calibrate on more skies.",
        )
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    mean, scale = known.mean(axis=0), np.maximum(known.std(axis=0), 1e-6)
    network = MLPClassifier(
        _HIDDEN, activation="tanh", solver="lbfgs", alpha=_RIDGE, max_iter=_STEPS,
        random_state=_SEED,
    )  # fmt: skip
    with warnings.catch_warnings():
        # The last steps change next to nothing.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit((known - mean) / scale, matched)
    layers = list(zip(network.coefs_, network.intercepts_, strict=True))
    return Ranking(mean=mean, scale=scale, layers=layers)
