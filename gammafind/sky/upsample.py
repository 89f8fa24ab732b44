"""Interpolation of patches with few nodes to a finer grid."""

from __future__ import annotations

import numpy as np

__all__ = ["upsample"]


def upsample(values: np.ndarray, width: int) -> np.ndarray:
    """Interpolate patches, shape (n, w, w), linearly to ``width`` pixels per side.

    At the border the patches are extrapolated with the inner slope.
    """
    own = values.shape[-1]
    if own == width:
        return values
    at = (np.arange(width) + 0.5) * own / width - 0.5
    below = np.clip(np.floor(at).astype(int), 0, own - 2)
    weights = np.zeros((width, own), dtype=values.dtype)
    weights[np.arange(width), below] = 1 - (at - below)
    weights[np.arange(width), below + 1] = at - below
    return weights @ values @ weights.T
