"""Labels no finer than what can be distinguished: a class, a group of classes, or neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def stated_labels(
    probability: np.ndarray,
    classes: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    *,
    least: float,
    unknown: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Name the finest level that is probable enough.

    Parameters
    ----------
    probability : ndarray, shape (n, n_classes)
        Rows sum to one.
    classes : sequence of str
        Names of the columns.
    groups : mapping of str to sequence of str
        Groups of classes, the finest first, each with the classes that it holds.
    least : float
        Least probability of a class or a group that is named.
    unknown : str
        Label where no level is as probable.

    Returns
    -------
    labels : ndarray of str, shape (n,)
    stated : ndarray, shape (n,)
        Probability of what is named; 0 for ``unknown``.
    """
    labels = np.full(len(probability), unknown, dtype=object)
    stated = np.zeros(len(probability))
    levels = [({name: [name] for name in classes}), *({name: groups[name]} for name in groups)]
    for level in levels:
        names = list(level)
        inside = [np.isin(classes, level[name]) for name in names]
        sums = np.stack([probability[:, which].sum(axis=1) for which in inside], axis=1)
        best = sums.max(axis=1, initial=0)
        named = (labels == unknown) & (best >= least)
        labels[named] = np.asarray(names, dtype=object)[sums[named].argmax(axis=1)]
        stated[named] = best[named]
    return labels.astype(str), stated
