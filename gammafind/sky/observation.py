"""The observed counts, with the model of the background, the exposure and the PSF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from astropy.table import QTable
from astropy.units import UnitBase

from gammafind.errors import BandError, OptionError
from gammafind.sky.bands import same_edges
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches
from gammafind.sky.pixels import HealpixPixels, same_pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap
from gammafind.units import FLUX

_ALL = 1 - 1e-4
"""Interpolated share of valid pixels that counts as all of them, up to rounding."""


@dataclass(frozen=True, eq=False)
class Observation:
    """Counts of a sky, its background model, its exposure and its PSF.

    Parameters
    ----------
    counts : SkyMap
        Counts, or the electrons of an image.
    background : mapping of str to SkyMap
        Expected counts (or electrons) of each background component, on the pixels of ``counts``;
        their norms are fitted by the users of this class.
    exposure : SkyMap
        Exposure on the pixels of ``counts``: the counts that a source of one ``flux_unit`` gives.
    psfs : sequence of RadialPsf
        One per band.
    noise : SkyMap, optional
        Standard deviation of each pixel without sources; None for Poisson counts.
    full : float
        Value from which on a pixel is saturated; infinity where none is.
    flux_unit : unit
        Of the fluxes of what is found: counts over exposure.
    extended : QTable, optional
        Sources that are known to be extended: ``name``, ``ra``, ``dec`` and their shapes, as from
        `gammafind.catalogue.extended.extended_sources`. Their fluxes are fitted by localisers that
        model them; all others ignore them.

    Raises
    ------
    BandError
        If bands or pixels of the maps differ, or there is no background component.

    Examples
    --------
    >>> import gammafind
    >>> sky = gammafind.simulate("fermi-lat-psf3-2-20", seed=1)
    >>> sorted(sky.observation.background)
    ['interstellar', 'isotropic']
    """

    counts: SkyMap
    background: Mapping[str, SkyMap]
    exposure: SkyMap
    psfs: tuple[RadialPsf, ...]
    noise: SkyMap | None = None
    full: float = np.inf
    flux_unit: UnitBase = FLUX
    extended: QTable | None = None

    def __post_init__(self) -> None:
        noise = {} if self.noise is None else {"noise": self.noise}
        for name, sky in {**self.background, "exposure": self.exposure, **noise}.items():
            if not same_edges(sky.bands, self.counts.bands):
                raise BandError(f"the bands of {name} are not those of the counts")
            if not all(map(same_pixels, sky.pixels, self.counts.pixels)):
                raise BandError(f"the pixels of {name} are not those of the counts")
        if not self.background:
            raise BandError("there is no background component", remedy="Give at least one.")
        if len(self.psfs) != self.counts.n_bands:
            raise BandError(f"{len(self.psfs)} PSFs for {self.counts.n_bands} bands")
        object.__setattr__(self, "psfs", tuple(self.psfs))

    @property
    def is_image(self) -> bool:
        """Whether it is a single image of a detector that reads out electrons."""
        return self.counts.kind == "electrons" and self.counts.n_bands == 1

    @property
    def is_sphere(self) -> bool:
        """Whether all maps are HEALPix maps."""
        return all(isinstance(pixels, HealpixPixels) for pixels in self.counts.pixels)

    @property
    def is_coarse(self) -> bool:
        """Whether pixels are wider than the PSF in the band with the sharpest PSF."""
        pairs = zip(self.psfs, self.counts.pixels, strict=True)
        size, pixel = min(
            (psf.containment_radius(0.68).to_value("deg"), pixels.pixel_size.to_value("deg"))
            for psf, pixels in pairs
        )
        return pixel > size

    def total_background(self) -> SkyMap:
        """Sum of the background components with norm one; valid where all of them are valid."""
        return self._total_background

    @cached_property
    def _total_background(self) -> SkyMap:
        components = list(self.background.values())
        if len(components) == 1:
            return components[0]
        return SkyMap(
            self.counts.bands,
            self.counts.pixels,
            tuple(added(arrays) for arrays in zip(*(s.values for s in components), strict=True)),
            components[0].kind,
            tuple(all_valid(masks) for masks in zip(*(s.valid for s in components), strict=True)),
        )

    def patches(
        self,
        grid: PatchGrid,
        n_pixels: Sequence[int],
        *,
        spread: bool | Sequence[bool] = False,
        exposure: bool = True,
        rng: np.random.Generator,
    ) -> Patches:
        """Cut counts, background and exposure into patches.

        A pixel of a patch is valid if counts, background and exposure are valid in all map pixels
        around it. Elsewhere all three are 0.

        Parameters
        ----------
        grid : PatchGrid
        n_pixels : sequence of int
            Pixels per side, one number per band.
        spread : bool or sequence of bool
            Spread counts and background evenly within their HEALPix pixels, instead of placing
            photons at random; in all bands, or one for each.
        exposure : bool
            Whether the exposure is cut, too.
        rng : numpy.random.Generator
            Places photons within HEALPix pixels.
        """
        background = self.total_background()
        valid = self._valid_in(grid, n_pixels, background)

        def cut(sky: SkyMap, *, spread: bool | Sequence[bool] = False) -> tuple:
            return _cut(sky, grid, n_pixels, valid, spread, rng)

        counts = cut(self.counts, spread=spread)
        of_background = cut(background, spread=spread)
        return Patches(
            grid=grid,
            bands=self.counts.bands,
            counts=counts,
            background=of_background,
            exposure=cut(self.exposure) if exposure else None,
            psfs=self.psfs,
            valid=valid,
            map_pixels=tuple(one.pixel_size.to_value("deg") for one in self.counts.pixels),
            mean_exposure=self.exposure.means,
        )

    def with_background_in(
        self, patches: Patches, *, spread: bool | Sequence[bool] = False
    ) -> Patches:
        """Patches of the same counts and exposure, with the background of this observation.

        Parameters
        ----------
        patches : Patches
        spread : bool or sequence of bool
            As for `patches`.
        """
        background = self.total_background()
        cut = _cut(background, patches.grid, patches.n_pixels, patches.valid, spread, None)
        return replace(patches, background=cut)

    def _valid_in(
        self, grid: PatchGrid, n_pixels: Sequence[int], background: SkyMap
    ) -> tuple[np.ndarray, ...]:
        """Pixels of patches where counts, background and exposure are valid."""
        masks = zip(self.counts.valid, background.valid, self.exposure.valid, strict=True)
        known = tuple(map(all_valid, masks))
        if all(mask.all() for mask in known):
            return tuple(np.broadcast_to(True, (len(grid), width, width)) for width in n_pixels)
        shares = tuple(mask.astype(np.float32) for mask in known)
        cut = grid.cut(SkyMap(background.bands, background.pixels, shares, "score"), n_pixels)
        return tuple(share > _ALL for share in cut)


def added(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Sum of maps, with one map in memory next to them."""
    first, *others = arrays
    total = np.array(first, dtype=np.result_type(*arrays))
    for other in others:
        total += other
    return total


def all_valid(masks: Sequence[np.ndarray]) -> np.ndarray:
    """Where all masks are true; one of them where that holds everywhere."""
    partial = [mask for mask in masks if not mask.all()]
    return np.logical_and.reduce(partial) if partial else masks[0]


def _cut(
    sky: SkyMap,
    grid: PatchGrid,
    n_pixels: Sequence[int],
    valid: Sequence[np.ndarray],
    spread: bool | Sequence[bool],
    rng: np.random.Generator | None,
) -> tuple[np.ndarray, ...]:
    """A map in patches, 0 where it is not valid."""
    wanted = np.broadcast_to(spread, sky.n_bands)
    arrays: list[np.ndarray] = [np.empty(0)] * sky.n_bands
    for is_spread in np.unique(wanted):
        bands = np.flatnonzero(wanted == is_spread)
        names = [sky.bands[band].name for band in bands]
        some = sky if len(bands) == sky.n_bands else sky.select(names)
        widths = [n_pixels[band] for band in bands]
        made = _spread(some, grid, widths) if is_spread else grid.cut(some, widths, rng=rng)
        for band, array in zip(bands, made, strict=True):
            arrays[band] = array
    return tuple(
        a if good.all() else np.where(good, a, 0) for a, good in zip(arrays, valid, strict=True)
    )


def _spread(sky: SkyMap, grid: PatchGrid, n_pixels: Sequence[int]) -> tuple[np.ndarray, ...]:
    """Maps spread over the patches of a grid."""
    from gammafind.sky.spread import spread_over

    if not all(isinstance(p, HealpixPixels) and p.frame == grid.frame for p in sky.pixels):
        raise OptionError(
            "only HEALPix maps in the frame of the patches can be spread over them",
            remedy="Use weights that were trained on scattered photons.",
        )
    return tuple(
        spread_over(pixels.nside, grid, width).of(np.where(valid, values, 0))
        for pixels, values, valid, width in zip(
            sky.pixels, sky.values, sky.valid, n_pixels, strict=True
        )
    )
