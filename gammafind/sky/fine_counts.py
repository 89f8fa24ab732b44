"""Counts on pixels finer than those of a map, where there are photons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from gammafind.sky.degrade import parents
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf import RadialPsf

FINEST_NSIDE = 8192
"""Of single photons: pixels of 0.007 deg, a tenth of the narrowest PSF."""


@dataclass(frozen=True, eq=False)
class FineCounts:
    """Counts of a band, or of a part of it, on fine pixels that are not empty.

    Parameters
    ----------
    parent : int
        Index of the band of the map that holds the same photons.
    edges : tuple of float
        Energy edges in MeV.
    pixels : HealpixPixels
        In the frame of the map.
    index : ndarray of int, shape (n,)
        Pixels with photons, increasing.
    counts : ndarray, shape (n,)
    psf : RadialPsf, optional
        Of these photons; that of the band by default.
    exposure : float
        Over that of the band.
    background : ndarray, shape (n_pixels,), optional
        Expected background counts over those of the band, on HEALPix pixels of the whole sky in
        the frame of the map; 1 by default.
    """

    parent: int
    edges: tuple[float, float]
    pixels: HealpixPixels
    index: np.ndarray
    counts: np.ndarray
    psf: RadialPsf | None = None
    exposure: float = 1.0
    background: np.ndarray | None = None

    @cached_property
    def tree(self) -> cKDTree:
        """Tree of the centres of the pixels, in their order."""
        return cKDTree(self.pixels.at(self.index) if len(self.index) else np.zeros((0, 3)))

    def background_share(self, vectors: np.ndarray) -> np.ndarray | float:
        """Expected background counts over those of the band, at unit vectors."""
        if self.background is None:
            return 1.0
        nside = int(np.sqrt(len(self.background) / 12))
        return self.background[HealpixPixels(nside, self.pixels.frame).containing(vectors)]


def summed_over(
    values: np.ndarray, valid: np.ndarray, nside: int, larger: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sum a map over larger pixels.

    Parameters
    ----------
    values : ndarray of int, shape (12 nside**2,)
        RING order.
    valid : ndarray of bool
    nside, larger : int
        Resolution of the map and of the sums; the latter divides the former.

    Returns
    -------
    sums : ndarray of int, shape (12 larger**2,)
    known : ndarray of bool, shape (12 larger**2,)
        Where all pixels are valid.
    """
    index, n_pixels = np.flatnonzero(values), 12 * larger**2
    sums = np.bincount(parents(nside, larger, index), values[index], minlength=n_pixels)
    known = np.ones(n_pixels, dtype=bool)
    if not valid.all():
        known[parents(nside, larger, np.flatnonzero(~valid))] = False
    return np.where(known, sums, 0).astype(np.int64), known
