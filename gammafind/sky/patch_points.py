"""The pixel centres of all patches as points on the sphere, for sums of harmonics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gammafind.sky.harmonics import synthesise_at
from gammafind.sky.patches import PatchGrid

__all__ = ["PatchPoints"]

_CHUNK = 13_000_000
"""Points at a time: their angles and sums take 0.3 GB."""


@dataclass(frozen=True, eq=False)
class PatchPoints:
    """Pixel centres of the patches of a grid.

    The angles of the pixel centres are computed once for all maps that are evaluated there.

    Parameters
    ----------
    grid : PatchGrid
    width : int
        Pixels a side.
    """

    grid: PatchGrid
    width: int

    @cached_property
    def areas(self) -> np.ndarray:
        """Solid angles in sr of the pixels, the same in all patches, shape (width, width)."""
        y, x = np.indices((self.width, self.width))
        return self.grid.pixel_areas(x, y, self.width)

    @cached_property
    def _angles(self) -> list[np.ndarray]:
        parts = -(-len(self.grid) * self.width**2 // _CHUNK)
        chosen = np.array_split(np.arange(len(self.grid)), parts)
        return [self.grid.angles(part, self.width).reshape(-1, 2) for part in chosen]

    def synthesise(self, alm: np.ndarray) -> np.ndarray:
        """Sum of harmonics at all pixel centres, shape (n_patches, width, width), float32."""
        seen = [synthesise_at(alm, angles).astype(np.float32) for angles in self._angles]
        return np.concatenate(seen).reshape(len(self.grid), self.width, self.width)
