"""The share of a point source's counts that each pixel near it receives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.sky.pixels import Pixels
from gammafind.sky.psf import RadialPsf

__all__ = ["Stamps", "fractions_at", "point_source_map", "stamps"]

_CHUNK = 2_000_000


@dataclass(frozen=True, eq=False)
class Stamps:
    """Pixels near each of n positions, and the share of a source's counts in them.

    Attributes
    ----------
    pixel : ndarray of int, shape (n, k)
        Flat pixel indices.
    fraction : ndarray, shape (n, k)
        Share of the counts of a source at the position that falls into the pixel.
    """

    pixel: np.ndarray
    fraction: np.ndarray

    def spread(self, counts: np.ndarray, n_pixels: int) -> np.ndarray:
        """Add up the sources' ``counts``, shape (n,), in a map of ``n_pixels``."""
        weights = self.fraction * np.asarray(counts)[:, None]
        return np.bincount(self.pixel.ravel(), weights.ravel(), minlength=n_pixels)


def stamps(vectors: np.ndarray, pixels: Pixels, psf: RadialPsf, *, containment: float) -> Stamps:
    """Integrate the PSF over the pixels near each position.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of ``pixels``.
    pixels : Pixels
    psf : RadialPsf
    containment : float
        Share of the counts that the stamp holds at least.

    Returns
    -------
    Stamps
    """
    size = float(np.sqrt(pixels.pixel_area.to_value("sr")))
    radius = psf.containment_radius(containment).to_value("rad") + size
    k = int(np.ceil(2 * np.pi * (1 - np.cos(min(radius, np.pi))) / size**2))
    index = pixels.nearest(vectors, min(max(k, 4), int(np.prod(pixels.shape))))
    return Stamps(index, fractions_at(vectors, index, pixels, psf))


def point_source_map(
    vectors: np.ndarray, counts: np.ndarray, pixels: Pixels, psf: RadialPsf
) -> np.ndarray:
    """Expected counts of point sources in each pixel, flat.

    The stamps grow with the counts: at most half a count of each source, or 0.02 % of it, is
    left out.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
    counts : ndarray, shape (n,)
        Expected counts of each source.
    pixels : Pixels
    psf : RadialPsf
    """
    n_pixels = int(np.prod(pixels.shape))
    total = np.zeros(n_pixels)
    missing = 0.5 / np.maximum(counts, 1e-9)
    levels = np.array([0.95, 0.99, 0.998, 0.9998])
    level = np.minimum(np.searchsorted(levels, 1 - missing), len(levels) - 1)
    for i, containment in enumerate(levels):
        group = np.flatnonzero(level == i)
        for part in np.array_split(group, max(1, len(group) // 500)):
            if len(part):
                stamp = stamps(vectors[part], pixels, psf, containment=containment)
                total += stamp.spread(counts[part], n_pixels)
    return total


def fractions_at(
    vectors: np.ndarray, index: np.ndarray, pixels: Pixels, psf: RadialPsf
) -> np.ndarray:
    """Share of the counts of each source that falls into given pixels.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors of the sources in the frame of ``pixels``.
    index : ndarray of int, shape (n, k)
        Flat pixel indices.
    pixels : Pixels
    psf : RadialPsf

    Returns
    -------
    ndarray, shape (n, k)
        PSF times pixel area at the centres, averaged over sub-pixels where it is steep.
    """
    size = float(np.sqrt(pixels.pixel_area.to_value("sr")))
    area = size**2
    distance = _distance(vectors[:, None], pixels.vectors[index])
    fraction = psf(distance) * area
    core = psf.containment_radius(0.3).to_value("rad")
    n = 2 ** int(np.ceil(np.log2(max(1.0, size / core))))
    if n == 1:
        return fraction
    row, column = np.nonzero(distance < 2 * size + 2 * core)
    for part in np.array_split(np.arange(len(row)), len(row) * n * n // _CHUNK + 1):
        near, unique = np.unique(index[row[part], column[part]], return_inverse=True)
        sub = pixels.subpixel_vectors(near, n)[unique]
        mean = psf(_distance(vectors[row[part]][:, None], sub)).mean(axis=1)
        fraction[row[part], column[part]] = mean * area
    return fraction


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Angle in radians between unit vectors, from the chord."""
    difference = one - other
    chord = np.sqrt(np.einsum("...i,...i->...", difference, difference))
    return 2 * np.arcsin(np.minimum(chord / 2, 1))
