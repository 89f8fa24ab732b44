"""Parts of the sky in which the norms of background components are fitted separately."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.sky.pixels import HealpixPixels, Pixels, centre_vectors
from gammafind.sky.projection import positions_of

REST = -1
"""Number of the region that holds what no other does."""


@dataclass(frozen=True, eq=False)
class NormRegions:
    """A number for each part of the sky.

    Attributes
    ----------
    number : ndarray of int, shape (n_pixels,)
        Not negative; `REST` where there is none.
    pixels : Pixels
    """

    number: np.ndarray
    pixels: Pixels

    @classmethod
    def of_nside(cls, nside: int, frame: str) -> NormRegions:
        """Each HEALPix pixel in RING order is a region: 12 of ``nside`` 1."""
        pixels = HealpixPixels(nside, frame)
        return cls(np.arange(pixels.shape[0]), pixels)

    def of_pixels(self, pixels: Pixels) -> np.ndarray:
        """Number of the region that holds the centre of each pixel, shape (n,)."""
        centres = centre_vectors(pixels, np.arange(int(np.prod(pixels.shape))))
        own = self.pixels.pixel_of(positions_of(centres, pixels.frame))
        return np.where(own >= 0, self.number[own], REST)
