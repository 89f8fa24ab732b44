"""Photons of HEALPix pixels laid into the pixels of patches, count by count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gammafind.sky.patches import PatchGrid

__all__ = ["scatter_counts"]

_SUBDIVISION = 5


def scatter_counts(
    counts: np.ndarray, nside: int, grid: PatchGrid, width: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Bin the photons of a HEALPix map into the pixels of every patch.

    Each photon gets one place at random within its pixel, the same in all patches, so that
    overlapping patches show the same photons.

    Parameters
    ----------
    counts : ndarray, shape (12 nside**2,)
        RING order.
    nside : int
    grid : PatchGrid
    width : int
        Pixels a side of a patch.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_patches, width, width), float32
    """
    from scipy.spatial import cKDTree

    photons = photon_vectors(counts, nside, rng=rng)
    patches = np.zeros((len(grid), width, width), dtype=np.float32)
    if not len(photons):
        return patches
    tree = cKDTree(photons)
    corner = np.sqrt(2) * np.tan(np.radians(grid.pixel_size(1) / 2))
    reach = 2 * np.sin(np.arctan(corner) / 2) * (1 + 1e-9)
    for index, basis in enumerate(grid.bases):
        near = photons[tree.query_ball_point(basis[2], reach)]
        x, y = grid.xy(index, near, width)
        column, row = np.floor(x + 0.5).astype(int), np.floor(y + 0.5).astype(int)
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < width)
        np.add.at(patches[index], (row[inside], column[inside]), 1)
    return patches


def photon_vectors(counts: np.ndarray, nside: int, *, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors of all photons of a RING map, laid at random in their pixels, shape (n, 3)."""
    import healpy as hp

    filled = np.flatnonzero(counts)
    pixel = np.repeat(hp.ring2nest(nside, filled), np.asarray(counts)[filled].astype(int))
    fine = pixel * 4**_SUBDIVISION + rng.integers(4**_SUBDIVISION, size=len(pixel))
    return np.stack(hp.pix2vec(nside * 2**_SUBDIVISION, fine, nest=True), axis=-1)
