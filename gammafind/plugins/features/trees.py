"""Boosted trees as plain arrays: read, written and evaluated without the library that grew them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

_ROWS = 256
"""Sources that all trees take at once: small enough for the cache of a core."""


@dataclass(frozen=True, eq=False)
class Trees:
    """A sum of regression trees for each of several scores.

    Attributes
    ----------
    feature : ndarray of int16, shape (n_nodes,)
        Column that a node looks at; -1 for a leaf.
    threshold : ndarray of float64, shape (n_nodes,)
        Values up to it go left.
    missing_left : ndarray of bool, shape (n_nodes,)
        Whether NaN goes left.
    left, right : ndarray of int32, shape (n_nodes,)
        Next nodes, counted over all trees.
    value : ndarray of float64, shape (n_nodes,)
        Of a leaf.
    root : ndarray of int32, shape (n_trees,)
        First node of each tree.
    score : ndarray of int16, shape (n_trees,)
        Score to which each tree adds.
    baseline : ndarray of float64, shape (n_scores,)
    """

    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    root: np.ndarray
    score: np.ndarray
    baseline: np.ndarray

    def scores(self, matrix: np.ndarray) -> np.ndarray:
        """Sum of the trees.

        Parameters
        ----------
        matrix : ndarray, shape (n, n_features)

        Returns
        -------
        ndarray, shape (n, n_scores)
        """
        out = np.empty((len(matrix), len(self.baseline)))
        for start in range(0, len(matrix), _ROWS):
            out[start : start + _ROWS] = self._of_block(matrix[start : start + _ROWS])
        return out

    def _of_block(self, block: np.ndarray) -> np.ndarray:
        node = np.repeat(self.root[:, None], len(block), axis=1)
        rows = np.broadcast_to(np.arange(len(block)), node.shape)
        inner = self.feature[node] >= 0
        while inner.any():
            here = node[inner]
            seen = block[rows[inner], self.feature[here]]
            goes_left = np.where(
                np.isnan(seen), self.missing_left[here], seen <= self.threshold[here]
            )
            node[inner] = np.where(goes_left, self.left[here], self.right[here])
            inner[inner] = self.feature[node[inner]] >= 0
        values = self.value[node]
        sums = [values[self.score == one].sum(axis=0) for one in range(len(self.baseline))]
        return np.stack(sums, axis=1) + self.baseline

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """Arrays by name, for a file."""
        return {f"{prefix}_{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Self:
        """Trees of the arrays of a file.

        Raises
        ------
        KeyError
            If one is missing.
        ValueError
            If a node points to one that is not below it in its own file.
        """
        trees = cls(**{field.name: arrays[f"{prefix}_{field.name}"] for field in fields(cls)})
        inner = np.flatnonzero(trees.feature >= 0)
        following = np.stack([trees.left[inner], trees.right[inner]])
        if np.any(following <= inner) or np.any(following >= len(trees.feature)):
            raise ValueError(f"the nodes of {prefix} do not form trees")
        return trees
