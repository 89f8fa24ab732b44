"""The score of a source in all patches that see it."""

from __future__ import annotations

import numpy as np

from gammafind.sky.patch_grid import PatchGrid

__all__ = ["mean_scores"]

_INSIDE = 3.0
"""Pixels from the border of a patch within which a source is measured poorly."""
_FLOOR = -8.0
"""Lowest logit; lower ones are clipped."""


def mean_scores(
    maps: np.ndarray, grid: PatchGrid, vectors: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Mean of the scores that a source has in the patches that hold it.

    Each patch redistributes the photons within the pixels of the map, and has its own pixels, so
    that a fluctuation that favours a source in one patch does not in another.

    Parameters
    ----------
    maps : ndarray, shape (n_patches, w, w)
        Logits of each pixel.
    grid : PatchGrid
        The patches.
    vectors : ndarray, shape (n, 3)
        Where sources were found, unit vectors in the frame of the grid.
    scores : ndarray, shape (n,)
        Their logits where they were found, which stand for those in patches of which they are
        too near to the border.

    Returns
    -------
    ndarray, shape (n,)
        Of the highest logits within one pixel of the source, each at least -8.
    """
    width = maps.shape[1]
    patch, index, x, y = grid.members(vectors, width, margin=-_INSIDE)
    row, column = (np.clip(np.rint(at).astype(int), 1, width - 2) for at in (y, x))
    highest = np.full(len(index), _FLOOR)
    for up in (-1, 0, 1):
        for right in (-1, 0, 1):
            np.maximum(highest, maps[patch, row + up, column + right], out=highest)
    n = np.bincount(index, minlength=len(vectors))
    total = np.bincount(index, highest, minlength=len(vectors))
    return np.where(n > 0, total / np.maximum(n, 1), scores)
