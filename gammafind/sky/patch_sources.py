"""Point sources in the pixels of patches, as a part of their background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.point_sources import fast_counts, is_narrow
from gammafind.sky.projection import chords
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import LEVELS, averaged_density, stamp_levels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.workers import in_threads

_EXPECTED = "expected counts"
_CHUNK = 500_000
"""Pairs of a source and a pixel per step: limits memory."""


@dataclass(frozen=True, eq=False)
class PatchSources:
    """Point sources on a sky.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of the maps.
    counts : ndarray, shape (n, n_bands)
        Expected counts of each.
    """

    vectors: np.ndarray
    counts: np.ndarray

    def in_patches(
        self, grid: PatchGrid, n_pixels: Sequence[int], sky: SkyMap, psfs: Sequence[RadialPsf]
    ) -> tuple[np.ndarray, ...]:
        """Expected counts in each pixel of the patches of a grid.

        Parameters
        ----------
        grid : PatchGrid
        n_pixels : sequence of int
            Pixels per side of a patch, one number per band.
        sky : SkyMap
            On HEALPix pixels, fine enough for sources with a wide PSF.
        psfs : sequence of RadialPsf

        Returns
        -------
        tuple of ndarray
            One array per band, shape (n_patches, n_pixels, n_pixels), float32.
        """

        def of_band(i: int) -> np.ndarray:
            counts, psf, width = self.counts[:, i], psfs[i], n_pixels[i]
            if is_narrow(psf):
                # Photons are placed at random in the pixels of the map.
                blur = sky.pixels[i].pixel_size.to_value("rad")
                return _stamped(self.vectors, counts, grid, width, psf, blur)
            values = fast_counts(self.vectors, counts, sky.pixels[i], psf)
            whole = SkyMap(sky.bands[i : i + 1], sky.pixels[i : i + 1], (values,), _EXPECTED)
            return grid.cut(whole, [width], sharp=True)[0]

        return tuple(in_threads(of_band, range(sky.n_bands)))


def _stamped(
    vectors: np.ndarray,
    counts: np.ndarray,
    grid: PatchGrid,
    width: int,
    psf: RadialPsf,
    blur: float,
) -> np.ndarray:
    """Sum of PSFs, averaged over pixels and over squares of ``blur``, near each source."""
    patches = np.zeros((len(grid), width, width), dtype=np.float32)
    size, areas = np.radians(grid.pixel_size(width)), _areas(grid, width)
    seen, levels = float(np.hypot(size, blur)), stamp_levels(counts)
    for level in np.unique(levels):
        rows = np.flatnonzero(levels == level)
        reach = int(np.ceil(psf.containment_radius(LEVELS[level]).to_value("rad") / size)) + 1
        patch, index, x, y = grid.members(vectors[rows], width, margin=reach)
        dy, dx = np.indices((2 * reach + 1, 2 * reach + 1)).reshape(2, -1) - reach
        dx, dy = np.stack([dx, dy])[:, dx**2 + dy**2 <= reach**2]
        for part in np.array_split(np.arange(len(x)), len(x) * len(dx) // _CHUNK + 1):
            column, row = np.rint(x[part, None]) + dx, np.rint(y[part, None]) + dy
            chord = chords(
                _local(x[part, None], y[part, None], width, size), _local(column, row, width, size)
            )
            added = averaged_density(psf, seen, chord) * counts[rows[index[part]], None]
            inside = (row >= 0) & (row < width) & (column >= 0) & (column < width)
            pixel = (row[inside] * width + column[inside]).astype(int)
            of_patch = np.broadcast_to(patch[part, None], inside.shape)[inside]
            np.add.at(
                patches.reshape(-1),
                of_patch * width**2 + pixel,
                (added[inside] * areas.ravel()[pixel]).astype(np.float32),
            )
    return patches


def _areas(grid: PatchGrid, width: int) -> np.ndarray:
    y, x = np.indices((width, width))
    return grid.pixel_areas(x, y, width).astype(np.float32)


def _local(x: np.ndarray, y: np.ndarray, width: int, size: float) -> np.ndarray:
    """Unit vectors of pixel coordinates in the basis of their patch, shape (..., 3)."""
    middle = (width - 1) / 2
    plane = np.stack([(x - middle) * size, (y - middle) * size, np.ones_like(x)], axis=-1)
    return plane / np.linalg.norm(plane, axis=-1, keepdims=True)
