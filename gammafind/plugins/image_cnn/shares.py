"""How often each class occurs in one image, from what a network says of its detections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["adapted"]

_ROUNDS = 100


def adapted(probability: np.ndarray, shares: Sequence[float], *, trust: float) -> np.ndarray:
    """Class probabilities for the classes' shares in an image, not those of the training.

    Shares and probabilities are found in turn: the shares are the mean of the probabilities, and
    the probabilities those of the network times the new shares over the old ones.

    Parameters
    ----------
    probability : ndarray, shape (n, n_classes)
        Of the network.
    shares : sequence of float
        Of the classes in the training.
    trust : float
        Number of detections that the shares of the training are worth. The more there are in the
        image, the less it matters.

    Returns
    -------
    ndarray, shape (n, n_classes)

    References
    ----------
    Saerens, Latinne & Decaestecker 2002, doi:10.1162/089976602753284446
    """
    known = np.asarray(shares, dtype=float)
    known = known / known.sum()
    here, found = known, probability
    for _ in range(_ROUNDS):
        found = probability * (here / known)
        found = found / found.sum(axis=1, keepdims=True)
        here = (found.sum(axis=0) + trust * known) / (len(found) + trust)
    return found
