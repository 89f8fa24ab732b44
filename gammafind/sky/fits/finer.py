"""Lists of HEALPix pixels that are finer than maps here are: they are added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.sky.degrade import parents
from gammafind.sky.pixels import UNSEEN, HealpixPixels

LARGEST_NSIDE = 2048
"""Pixels of 1.7 arcmin: a third of the sharpest PSF of the LAT, and small enough for memory."""


@dataclass(frozen=True)
class Finer:
    """Pixels of a file within those of a map.

    Parameters
    ----------
    pixels : HealpixPixels
        Of the file.
    nested : bool
        Whether their numbers are in NESTED order.
    mean : bool
        Whether the value of a larger pixel is the mean of those in it (an exposure), not their
        sum (counts).
    """

    pixels: HealpixPixels
    nested: bool
    mean: bool = False

    @property
    def per_pixel(self) -> int:
        """Pixels of the file in one of the map, 1 where it is not finer."""
        return max(1, self.pixels.nside // LARGEST_NSIDE) ** 2

    @property
    def target(self) -> HealpixPixels:
        """Pixels of the map."""
        return HealpixPixels(min(self.pixels.nside, LARGEST_NSIDE), self.pixels.frame)

    def place(self, values: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Map with the values of some pixels of the file, 0 in others, in the order of the file."""
        if self.per_pixel == 1:
            full = np.zeros(self.target.shape, dtype=values.dtype)
            full[index] = values
            return full
        n = self.target.shape[0]
        if values.dtype.kind == "f":
            values = np.where(values < UNSEEN / 2, np.nan, values)
        total = np.bincount(self._parents(index), weights=values, minlength=n)
        if self.mean:
            return np.divide(total, self.n_listed(index), out=total, where=total != 0)
        return total.astype(values.dtype) if values.dtype.kind in "iu" else total

    def n_listed(self, index: np.ndarray) -> np.ndarray:
        """Number of listed pixels in each pixel of the map."""
        return np.bincount(self._parents(index), minlength=self.target.shape[0])

    def _parents(self, index: np.ndarray) -> np.ndarray:
        """Pixels of the map that hold pixels of the file, in the order of the file."""
        if self.per_pixel == 1:
            return index
        if self.nested:
            return index // self.per_pixel
        return parents(self.pixels.nside, LARGEST_NSIDE, index)
