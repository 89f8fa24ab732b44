"""What share of a source's counts falls into each pixel near it, in all bands of a patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.sky.psf import RadialPsf
from gammafind.sky.stamps import averaged_profile

__all__ = ["PatchStamps", "patch_stamps"]

_CONTAINMENT = 0.98
_LARGEST = 12
"""Pixels from the source to the edge of a stamp, at most."""


@dataclass(frozen=True, eq=False)
class PatchStamps:
    """Pixels near each of n positions of a patch.

    The pixels of all bands stand in one row, that of the first band first.

    Attributes
    ----------
    pixel : ndarray of int, shape (n, k)
        Places in the row.
    fraction : ndarray, shape (n, k)
        Share of the counts of a source in the band that falls into the pixel; 0 beyond the patch.
    band : ndarray of int, shape (k,)
        Band of each column.
    n_pixels : int
        Length of the row.
    """

    pixel: np.ndarray
    fraction: np.ndarray
    band: np.ndarray
    n_pixels: int

    def take(self, chosen: np.ndarray) -> PatchStamps:
        """Stamps of some of the positions."""
        return PatchStamps(self.pixel[chosen], self.fraction[chosen], self.band, self.n_pixels)

    def only(self, band: int) -> PatchStamps:
        """Stamps in one band."""
        here = self.band == band
        return PatchStamps(
            self.pixel[:, here], self.fraction[:, here], self.band[here], self.n_pixels
        )

    def spread(self, counts: np.ndarray) -> np.ndarray:
        """Expected counts of all sources in each pixel, where ``counts`` are (n, n_bands)."""
        weights = self.fraction * counts[:, self.band]
        return np.bincount(self.pixel.ravel(), weights.ravel(), minlength=self.n_pixels)


def patch_stamps(
    x: np.ndarray, y: np.ndarray, widths: Sequence[int], psfs: Sequence[RadialPsf], size: float
) -> PatchStamps:
    """Stamps of positions in a patch.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Pixels of the finest band, 0 at the centre of the first; they may lie beyond the border.
    widths : sequence of int
        Pixels a side, one number a band.
    psfs : sequence of RadialPsf
        One a band.
    size : float
        Side of the patch in degrees.

    Notes
    -----
    The PSF is averaged over the pixel in all orientations. Distances are those in the tangent
    plane, which are too long by up to a per cent at the corners of a patch of 13 deg.
    """
    finest = max(widths)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    start = 0
    for band, (width, psf) in enumerate(zip(widths, psfs, strict=True)):
        own = [(np.asarray(a) + 0.5) * width / finest - 0.5 for a in (x, y)]
        pixel, fraction = _band_stamps(*own, width, psf, np.radians(size / width))
        parts.append((pixel + start, fraction, np.full(pixel.shape[1], band)))
        start += width**2
    pixels, fractions, bands = zip(*parts, strict=True)
    return PatchStamps(
        np.concatenate(pixels, axis=1),
        np.concatenate(fractions, axis=1),
        np.concatenate(bands),
        start,
    )


def _band_stamps(
    x: np.ndarray, y: np.ndarray, width: int, psf: RadialPsf, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Flat pixels near positions and the shares in them, both (n, k); ``step`` in radians."""
    radius = psf.containment_radius(_CONTAINMENT).to_value("rad") / step
    reach = int(min(np.ceil(radius) + 1, _LARGEST, width // 2))
    steps = np.arange(-reach, reach + 1)
    column = (np.rint(x).astype(int)[:, None] + steps)[:, None, :]
    row = (np.rint(y).astype(int)[:, None] + steps)[:, :, None]
    apart = np.hypot(column - x[:, None, None], row - y[:, None, None]) * step
    fraction = np.interp(apart, *averaged_profile(psf, float(step))) * step**2
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < width)
    pixel = np.where(inside, row * width + column, 0)
    n = len(x)
    return pixel.reshape(n, -1), np.where(inside, fraction, 0).reshape(n, -1)
