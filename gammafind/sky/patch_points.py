"""The pixel centres of all patches as points on the sphere, for harmonic synthesis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gammafind.sky.harmonics import synthesise_at
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.projection import unit_vectors
from gammafind.sky.upsample import upsample

_NODES = 16
"""Per side of a patch: enough for maps that are smooth over degrees."""
_CHUNK = 13_000_000
"""Points per step: their angles and sums need 0.3 GB."""


@dataclass(frozen=True, eq=False)
class PatchPoints:
    """Pixel centres of the patches of a grid.

    The angles of the pixel centres are computed once for all maps that are evaluated there.

    Parameters
    ----------
    grid : PatchGrid
    width : int
        Pixels per side.
    """

    grid: PatchGrid
    width: int

    @cached_property
    def areas(self) -> np.ndarray:
        """Solid angles of the pixels in sr, the same in all patches, shape (width, width)."""
        y, x = np.indices((self.width, self.width))
        return self.grid.pixel_areas(x, y, self.width)

    @cached_property
    def angles(self) -> list[np.ndarray]:
        """Colatitudes and longitudes in radians, shapes (n, 2), patch by patch."""
        parts = -(-len(self.grid) * self.width**2 // _CHUNK)
        chosen = np.array_split(np.arange(len(self.grid)), parts)
        return [self.grid.angles(part, self.width).reshape(-1, 2) for part in chosen]

    def synthesise(self, alm: np.ndarray) -> np.ndarray:
        """Sum of harmonics at all pixel centres, shape (n_patches, width, width), float32."""
        seen = [synthesise_at(alm, angles).astype(np.float32) for angles in self.angles]
        return np.concatenate(seen).reshape(len(self.grid), self.width, self.width)


def on_patches(
    function: Callable[[np.ndarray], np.ndarray], grid: PatchGrid, widths: Sequence[int]
) -> tuple[np.ndarray, ...]:
    """Evaluate a function that is smooth over degrees in all pixels of patches.

    Parameters
    ----------
    function : callable
        Maps Galactic unit vectors, shape (n, 3), to values of shape (n_bands, n).
    grid : PatchGrid
    widths : sequence of int
        Pixels per side, one number per band.

    Returns
    -------
    tuple of ndarray
        One array per band, shape (n_patches, width, width), float32, interpolated linearly between
        16 nodes per side.
    """
    y, x = np.indices((_NODES, _NODES)).reshape(2, -1)
    patch = np.repeat(np.arange(len(grid)), _NODES**2)
    at = grid.positions(patch, np.tile(x, len(grid)), np.tile(y, len(grid)), _NODES).galactic
    values = function(unit_vectors(at.l.deg, at.b.deg))
    nodes = values.reshape(len(values), len(grid), _NODES, _NODES).astype(np.float32)
    return tuple(upsample(array, width) for array, width in zip(nodes, widths, strict=True))
