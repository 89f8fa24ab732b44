"""How often each class occurs in one image, from what a network says of its detections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["adapted"]

_ROUNDS = 100


def adapted(
    probability: np.ndarray, shares: Sequence[float], groups: Sequence[int], *, trust: float
) -> np.ndarray:
    """Class probabilities for the shares of groups of classes in an image, not in the training.

    Shares and probabilities are found in turn: the shares are the mean of the probabilities, and
    the probabilities those of the network times the new shares over the old ones. The classes of
    a group keep their ratios.

    Parameters
    ----------
    probability : ndarray, shape (n, n_classes)
        Of the network.
    shares : sequence of float
        Of the classes in the training.
    groups : sequence of int
        Group of each class, counted from 0.
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
    groups = np.asarray(groups)
    member = np.eye(groups.max() + 1)[groups]
    known = np.asarray(shares, dtype=float) @ member
    known = known / known.sum()
    here, found = known, probability
    for _ in range(_ROUNDS):
        found = probability * (here / known)[groups]
        found = found / found.sum(axis=1, keepdims=True)
        here = ((found @ member).sum(axis=0) + trust * known) / (len(found) + trust)
    return found
