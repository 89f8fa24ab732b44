"""The patches of a whole sky, in stacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches
from gammafind.sky.skymap import SkyMap

_AT_ONCE = 768
"""Patches that are in memory at the same time."""


@dataclass(eq=False)
class PatchStacks:
    """Patches of a sky, cut in stacks to limit memory.

    Every iteration gives the same photons at the same positions. If there is only one stack, it is
    kept in memory.

    Parameters
    ----------
    observation : Observation
    grid : PatchGrid
    n_pixels : sequence of int
        Pixels per side, one number per band.
    rng : numpy.random.Generator
        Places photons within HEALPix pixels.
    spread, sharp, exposure : bool
        As for `Observation.patches`.
    """

    observation: Observation
    grid: PatchGrid
    n_pixels: Sequence[int]
    rng: np.random.Generator
    spread: bool = False
    sharp: bool = False
    exposure: bool = True
    _seed: int = field(init=False, repr=False)
    _kept: Patches | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        self._seed = int(self.rng.integers(2**63))

    def __iter__(self) -> Iterator[tuple[int, Patches]]:
        """Index of the first patch of each stack, and the stack."""
        for start in range(0, len(self.grid), _AT_ONCE):
            yield start, self._kept or self._cut(start)

    def of_background(
        self, background: Mapping[str, SkyMap], *, sharp: bool = False
    ) -> PatchStacks:
        """Patches of the same photons and the same exposure with another background."""
        observation = replace(self.observation, background=background)
        other = replace(self, observation=observation, sharp=sharp)
        other._seed = self._seed
        if self._kept is not None:
            other._kept = observation.with_background_in(
                self._kept, spread=self.spread, sharp=sharp
            )
        return other

    def forget(self) -> None:
        """Free the memory of a stack that is kept; it is cut again when it is needed."""
        self._kept = None

    def _cut(self, start: int) -> Patches:
        rows = slice(start, start + _AT_ONCE)
        same_photons = np.random.default_rng(self._seed)
        patches = self.observation.patches(
            self.grid[rows],
            self.n_pixels,
            spread=self.spread,
            sharp=self.sharp,
            exposure=self.exposure,
            rng=same_photons,
        )
        if len(patches) == len(self.grid):
            self._kept = patches
        return patches
