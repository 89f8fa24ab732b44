"""The patches of a whole sky, in stacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patch_sources import PatchSources
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
    spread : bool or sequence of bool
        As for `Observation.patches`.
    exposure : bool
        Likewise.
    sources : PatchSources, optional
        A part of the background, which the maps of the observation do not contain.
    """

    observation: Observation
    grid: PatchGrid
    n_pixels: Sequence[int]
    rng: np.random.Generator
    spread: bool | Sequence[bool] = False
    exposure: bool = True
    sources: PatchSources | None = None
    _seed: int = field(init=False, repr=False)
    _kept: Patches | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        self._seed = int(self.rng.integers(2**63))

    def __iter__(self) -> Iterator[tuple[int, Patches]]:
        """Index of the first patch of each stack, and the stack."""
        for start in range(0, len(self.grid), _AT_ONCE):
            yield start, self._kept or self._cut(start)

    def of_background(self, background: Mapping[str, SkyMap]) -> PatchStacks:
        """Patches of the same photons and the same exposure with another background."""
        observation = replace(self.observation, background=background)
        other = replace(self, observation=observation)
        other._seed = self._seed
        if self._kept is not None:
            other._kept = observation.with_background_in(self._kept, spread=self.spread)
        return other

    def with_sources(self, sources: PatchSources) -> PatchStacks:
        """Patches of the same photons, with sources as a part of their background."""
        other = replace(self, sources=sources)
        other._seed = self._seed
        if self._kept is not None:
            other._kept = other._with_sources(self._kept)
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
            exposure=self.exposure,
            rng=same_photons,
        )
        if self.sources is not None:
            patches = self._with_sources(patches)
        if len(patches) == len(self.grid):
            self._kept = patches
        return patches

    def _with_sources(self, patches: Patches) -> Patches:
        counts, psfs = self.observation.counts, self.observation.psfs
        seen = self.sources.in_patches(patches.grid, self.n_pixels, counts, psfs)
        background = (
            np.where(good, expected + more, 0)
            for good, expected, more in zip(patches.valid, patches.background, seen, strict=True)
        )
        return replace(patches, background=tuple(background))
