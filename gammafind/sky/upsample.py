"""Patches made finer: from a HEALPix map or from a few nodes."""

from __future__ import annotations

import numpy as np

_ROWS = 16
"""Rows of a product of matrices that is so small that it starts no threads of its own."""


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
    rows = np.empty((len(values), width, own), dtype=values.dtype)
    finer = np.empty((len(values), width, width), dtype=values.dtype)
    parts = [slice(start, start + _ROWS) for start in range(0, width, _ROWS)]
    for part in parts:
        rows[:, part] = weights[part] @ values
    for part in parts:
        finer[..., part] = rows @ weights[part].T
    return finer


def interpolated(values: np.ndarray, nodes: np.ndarray, width: int) -> np.ndarray:
    """Interpolate a RING map at nodes, and linearly between them.

    Parameters
    ----------
    values : ndarray, shape (n_healpix,)
    nodes : ndarray, shape (n, 2, w, w)
        Colatitudes and longitudes in radians.
    width : int
        Pixels a side of the patches.

    Returns
    -------
    ndarray, shape (n, width, width), float32
    """
    import healpy as hp

    at_nodes = np.empty((len(nodes), *nodes.shape[2:]), dtype=np.float32)
    for patch, (theta, phi) in zip(at_nodes, nodes, strict=True):
        patch[...] = hp.get_interp_val(values, theta, phi)
    return upsample(at_nodes, width)
