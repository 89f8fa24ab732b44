"""What was seen, with what the instrument would see without sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.errors import BandError
from gammafind.sky.bands import same_edges
from gammafind.sky.patches import Patches, PatchGrid
from gammafind.sky.pixels import same_pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap

__all__ = ["Observation"]

_ALL = 1 - 1e-4
"""Least interpolated share of valid pixels that is all of them, up to rounding."""


@dataclass(frozen=True, eq=False)
class Observation:
    """Counts of a sky, its background model, its exposure and its PSF.

    Parameters
    ----------
    counts : SkyMap
        Counts.
    background : mapping of str to SkyMap
        Expected counts of each background component, on the pixels of ``counts``; their
        norms are fitted by who uses them.
    exposure : SkyMap
        Exposure on the pixels of ``counts``.
    psfs : sequence of RadialPsf
        One a band.

    Raises
    ------
    BandError
        If bands or pixels of the maps differ, or there is no background component.
    """

    counts: SkyMap
    background: Mapping[str, SkyMap]
    exposure: SkyMap
    psfs: tuple[RadialPsf, ...]

    def __post_init__(self) -> None:
        for name, sky in {**self.background, "exposure": self.exposure}.items():
            if not same_edges(sky.bands, self.counts.bands):
                raise BandError(f"the bands of {name} are not those of the counts")
            if not all(map(same_pixels, sky.pixels, self.counts.pixels)):
                raise BandError(f"the pixels of {name} are not those of the counts")
        if not self.background:
            raise BandError("there is no background component", remedy="Give at least one.")
        if len(self.psfs) != self.counts.n_bands:
            raise BandError(f"{len(self.psfs)} PSFs for {self.counts.n_bands} bands")
        object.__setattr__(self, "psfs", tuple(self.psfs))

    def total_background(self) -> SkyMap:
        """Sum of the background components, each at norm one; valid where all of them are."""
        components = list(self.background.values())
        return SkyMap(
            self.counts.bands,
            self.counts.pixels,
            tuple(sum(arrays) for arrays in zip(*(s.values for s in components), strict=True)),
            "expected counts",
            tuple(
                np.all(masks, axis=0) for masks in zip(*(s.valid for s in components), strict=True)
            ),
        )

    def patches(
        self, grid: PatchGrid, n_pixels: Sequence[int], *, rng: np.random.Generator
    ) -> Patches:
        """Cut counts, background and exposure into patches.

        Pixels of patches are valid where counts, background and exposure are, in all pixels of the
        maps about them; all three are 0 elsewhere.
        """
        background = self.total_background()
        masks = zip(self.counts.valid, background.valid, self.exposure.valid, strict=True)
        known = tuple(np.all(parts, axis=0).astype(float) for parts in masks)
        shares = grid.cut(SkyMap(background.bands, background.pixels, known, "score"), n_pixels)
        valid = tuple(share > _ALL for share in shares)

        def cut(sky: SkyMap) -> tuple[np.ndarray, ...]:
            arrays = grid.cut(sky, n_pixels, rng=rng)
            return tuple(np.where(good, a, 0) for a, good in zip(arrays, valid, strict=True))

        return Patches(
            grid=grid,
            bands=self.counts.bands,
            counts=cut(self.counts),
            background=cut(background),
            exposure=cut(self.exposure),
            psfs=self.psfs,
            valid=valid,
        )
