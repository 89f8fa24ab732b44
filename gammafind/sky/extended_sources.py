"""Expected counts of extended sources with round profiles, in maps, images and patches."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np

from gammafind.sky.patch_points import PatchPoints
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import Stamps, averaged_profile, stamps

_CONTAINMENT = 0.9998
"""Share of the counts of a source that is rendered; the rest is far from it."""


def profile_stamps(
    vectors: np.ndarray, pixels: Pixels, profiles: Sequence[RadialPsf]
) -> list[Stamps]:
    """Share of the counts of each source in the pixels near it.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of ``pixels``.
    pixels : Pixels
    profiles : sequence of RadialPsf
        Shape of each source convolved with the PSF.

    Returns
    -------
    list of Stamps
        On HEALPix pixels the shares of each source add up to one.
    """
    found = [
        stamps(vector[None], pixels, profile, containment=_CONTAINMENT)
        for vector, profile in zip(vectors, profiles, strict=True)
    ]
    if not isinstance(pixels, HealpixPixels):
        return found
    return [Stamps(stamp.pixel, stamp.fraction / stamp.fraction.sum()) for stamp in found]


def add_to_patches(
    patches: np.ndarray,
    vectors: np.ndarray,
    counts: np.ndarray,
    points: PatchPoints,
    profiles: Sequence[RadialPsf],
) -> None:
    """Add sources to the pixels of all patches.

    Parameters
    ----------
    patches : ndarray, shape (n_patches, width, width)
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of the patches.
    counts : ndarray, shape (n,)
    points : PatchPoints
    profiles : sequence of RadialPsf
        As for `profile_stamps`.
    """
    grid, width = points.grid, points.width
    size = float(np.radians(grid.pixel_size(width)))
    step = (np.arange(width) - (width - 1) / 2) * size
    for vector, number, profile in zip(vectors, counts, profiles, strict=True):
        reach = profile.containment_radius(_CONTAINMENT).to_value(u.rad)
        margin = int(np.ceil(np.tan(min(reach, 1.0)) / size))
        patch, _, x, y = grid.members(vector[None], width, margin=margin)
        chord, density = averaged_profile(profile, size)
        for which, column, row in zip(patch, x, y, strict=True):
            east, north = column * size + step[0], row * size + step[0]
            product = 1 + step * east + step[:, None] * north
            lengths = np.sqrt((1 + step**2 + step[:, None] ** 2) * (1 + east**2 + north**2))
            apart = np.sqrt(np.maximum(2 - 2 * product / lengths, 0))
            patches[which] += number * np.interp(apart, chord, density, right=0) * points.areas
