"""The role of sky renderers: an instrument that turns sources into expected maps."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from astropy.table import QTable
from astropy.time import Time
from astropy.units import Quantity

from gammafind.catalogue.schema import SOURCES, conform, in_flux_unit
from gammafind.errors import OptionError, ShapeError, TableError
from gammafind.roles.instrument import Instrument
from gammafind.sky.drawn import Drawn, DrawnPhotons
from gammafind.sky.fits import write_counts, write_counts_by_nside
from gammafind.sky.patch_grid import PatchGrid, patch_widths
from gammafind.sky.patches import Patches
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.skymap import SkyMap


@dataclass(frozen=True, kw_only=True)
class SkyRenderer(Instrument):
    """An instrument that knows what a source looks like: it renders and draws skies.

    Examples
    --------
    >>> import astropy.units as u
    >>> import numpy as np
    >>> from dataclasses import dataclass
    >>> from gammafind import Band, HealpixPixels, RadialPsf, SkyRenderer
    >>> from gammafind.sky.point_sources import sky_counts
    >>> from gammafind.sky.projection import unit_vectors
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Flat(SkyRenderer):
    ...     name = "flat"
    ...     bands = (Band("2-20 GeV", 2 * u.GeV, 20 * u.GeV),)
    ...     pixels = (HealpixPixels(32, "icrs"),)
    ...
    ...     def psfs(self):
    ...         theta = np.linspace(0, 0.3, 300)
    ...         return (RadialPsf(theta, np.exp(-0.5 * (theta / 0.05) ** 2)),)
    ...
    ...     def _exposure(self, pixels):
    ...         return (np.full(pixels[0].shape, 1e11),)
    ...
    ...     def _background(self, pixels):
    ...         return {"flat": (np.ones(pixels[0].shape),)}
    ...
    ...     def _render(self, sources, pixels):
    ...         lon, lat = (sources[name].to_value("deg") for name in ("ra", "dec"))
    ...         vectors = unit_vectors(lon, lat)
    ...         counts = sources["flux"].to_value("cm-2 s-1") * 1e11
    ...         return (sky_counts(vectors, counts, pixels[0], self.psfs()[0]),)
    >>> from gammafind.testing import one_source
    >>> from astropy.coordinates import SkyCoord
    >>> expected = Flat().render(one_source(SkyCoord(10, 20, unit="deg")))
    >>> float(round(expected.values[0].sum(), -2))
    10000.0
    """

    classes: ClassVar[tuple[str, ...]] = ()
    """Classes of sources that the renderer knows; of any class where there are none."""

    makes_photons: ClassVar[bool] = False
    """Whether `draw_photons` is there."""

    @property
    def epoch_spans(self) -> np.ndarray:
        """Begin and end of each of the `epochs` in s of the mission elapsed time, shape (n, 2).

        NaN, which is the default, where they are not known.
        """
        return np.full((len(self.epochs), 2), np.nan)

    def another(self, rng: np.random.Generator) -> Self:
        """Draw another setting of the instrument: bands, response, observing time.

        Networks for any bands learn from these. By default the instrument has no other setting.

        Parameters
        ----------
        rng : numpy.random.Generator
        """
        return self

    def render(self, sources: QTable, pixels: Sequence[Pixels] | None = None) -> SkyMap:
        """Expected counts of ``sources`` on ``pixels``, without background.

        Parameters
        ----------
        sources : QTable
            Schema SOURCES, the flux in a unit that converts to `flux_unit`.
        pixels : sequence of Pixels, optional
            One a band; by default the renderer's own.

        Raises
        ------
        TableError
            If the table lacks a column, holds a class that the renderer does not know, values
            that cannot be, or fluxes that do not convert to `flux_unit`.
        """
        sources = self._checked(sources)
        pixels = self._pixels(pixels)
        values = self._render(sources, pixels)
        return SkyMap(self.bands, pixels, values, "expected counts")

    def source_counts(self, sources: QTable) -> np.ndarray:
        """Expected counts of each source in each band, in all pixels together.

        By default each source is rendered on its own; a renderer that knows a shorter way
        overrides this.

        Returns
        -------
        ndarray, shape (n, n_bands)
        """
        sources = self._checked(sources)
        rows = (self._render(sources[i : i + 1], self._pixels(None)) for i in range(len(sources)))
        counts = [[array.sum(dtype=float) for array in row] for row in rows]
        return np.array(counts).reshape(len(sources), len(self.bands))

    def with_power_laws(self, sources: QTable, index: np.ndarray) -> QTable:
        """Give sources a power law as spectrum, in the columns that the renderer knows.

        Parameters
        ----------
        sources : QTable
            Schema SOURCES; ``flux`` is that of all bands together.
        index : ndarray, shape (n,)
            Photon index of each.

        Returns
        -------
        QTable
            As it came in by default: a renderer that knows no spectra.
        """
        return sources

    def components(
        self, sources: QTable, pixels: Sequence[Pixels] | None = None
    ) -> dict[str, SkyMap]:
        """Expected counts of each class of sources and, apart, of each background component.

        A class of the renderer that ``sources`` do not hold gets no map.
        """
        sources = self._checked(sources)
        by_class = {
            name: self.render(sources[np.asarray(sources["class_label"]) == name], pixels)
            for name in np.unique(sources["class_label"]).tolist()
        }
        return by_class | self.background(pixels)

    def component_epochs(self, sources: QTable, band: int) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the expected counts of one component of `components` after the other, in a band.

        Parameters
        ----------
        sources : QTable
        band : int
            Index of the band.

        Yields
        ------
        component : str
        maps : ndarray, shape (n_epochs, ...)
            On the renderer's own pixels; one map where the renderer knows no epochs.
        """
        yield from self._component_epochs(self._checked(sources), band)

    def render_patches(
        self, sources: QTable, grid: PatchGrid, n_pixels: Sequence[int] | None = None
    ) -> Patches:
        """Expected counts of sources and background straight in the pixels of patches.

        Parameters
        ----------
        sources : QTable
        grid : PatchGrid
        n_pixels : sequence of int, optional
            Pixels a side in each band; by default the least power of two that is as fine as the
            renderer's own pixels.

        Returns
        -------
        Patches
            ``counts`` are the expected counts of everything, ``background`` those of the
            background.
        """
        sources = self._checked(sources)
        n_pixels = patch_widths(self.pixels, grid) if n_pixels is None else tuple(n_pixels)
        if len(n_pixels) != len(self.bands):
            raise ShapeError(f"{len(n_pixels)} patch widths for {len(self.bands)} bands")
        rendered, background, exposure = self._render_patches(sources, grid, n_pixels)
        return Patches(
            grid=grid,
            bands=self.bands,
            counts=tuple(a + b for a, b in zip(rendered, background, strict=True)),
            background=background,
            exposure=exposure,
            psfs=self.psfs(),
        )

    def draw(self, expected: SkyMap, *, rng: np.random.Generator) -> Drawn:
        """Draw what the instrument reads out of an expected sky; Poisson counts by default.

        Parameters
        ----------
        expected : SkyMap
            Expected counts of sources and background together.
        rng : numpy.random.Generator
        """
        return Drawn(expected.poisson(rng=rng))

    def draw_photons(
        self,
        sources: QTable,
        folder: str | PathLike,
        *,
        start: str | Time,
        duration: Quantity,
        rng: np.random.Generator,
    ) -> DrawnPhotons:
        """Draw single photons, and write them to files.

        Parameters
        ----------
        sources : QTable
            As for `render`.
        folder : path-like
            Exists already.
        start : str or Time
            Begin of the observation; a text is a date in UTC.
        duration : Quantity
        rng : numpy.random.Generator

        Returns
        -------
        DrawnPhotons

        Raises
        ------
        OptionError
            If the renderer draws maps only; see `makes_photons`.
        """
        raise OptionError(
            f"{self.name} makes no photon lists", remedy="Simulate maps: leave out photons."
        )

    def write_drawn(self, drawn: Drawn, folder: str | PathLike) -> None:
        """Write a draw into `map_files`; others, such as masks, may be next to them.

        Parameters
        ----------
        drawn : Drawn
        folder : path-like
            Exists already.
        """
        counts, folder = drawn.counts, Path(folder)
        if all(isinstance(pixels, HealpixPixels) for pixels in counts.pixels):
            write_counts_by_nside(counts, folder, selections=self.selections)
        else:
            write_counts(counts, folder / "counts.fits", selections=self.selections)

    def _checked(self, sources: QTable) -> QTable:
        """Sources in their schema, all of classes that the renderer knows."""
        schema = in_flux_unit(SOURCES, self.flux_unit)
        sources = conform(sources, schema, what=f"the source table given to {self.name}")
        unknown = sorted(set(np.unique(sources["class_label"]).tolist()) - set(self.classes))
        if self.classes and unknown:
            raise TableError(
                f"{self.name} knows no sources of class {', '.join(map(repr, unknown))}",
                remedy=f"class_label is one of {', '.join(self.classes)}.",
            )
        return sources

    @abc.abstractmethod
    def _render(self, sources: QTable, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]: ...

    def _component_epochs(self, sources: QTable, band: int) -> Iterator[tuple[str, np.ndarray]]:
        parts = [self.at_epoch(i) for i in range(len(self.epochs))] or [self]
        skies = [part.components(sources) for part in parts]
        for component in skies[0]:
            yield component, np.stack([sky[component].values[band] for sky in skies])

    def _render_patches(
        self, sources: QTable, grid: PatchGrid, n_pixels: tuple[int, ...]
    ) -> tuple[tuple[np.ndarray, ...], ...]:
        """Sources, background and exposure of each band, each (n_patches, n, n), float32."""
        stacks: list[list[tuple[np.ndarray, ...]]] = [[], [], []]
        for index in range(len(grid)):
            pixels = tuple(grid.pixels(index, width) for width in n_pixels)
            background = zip(*self._background(pixels).values(), strict=True)
            stacks[0].append(self._render(sources, pixels))
            stacks[1].append(tuple(sum(parts) for parts in background))
            stacks[2].append(self._exposure(pixels))
        return tuple(
            tuple(np.stack(band).astype(np.float32) for band in zip(*stack, strict=True))
            for stack in stacks
        )
