"""The role of sky renderers."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.schema import SOURCES, conform
from gammafind.errors import OptionError, ShapeError, TableError
from gammafind.roles.base import Plugin
from gammafind.sky.bands import Band
from gammafind.sky.drawn import Drawn
from gammafind.sky.fits import (
    EventList,
    bin_events,
    read_counts,
    write_counts,
    write_counts_by_nside,
)
from gammafind.sky.observation import Observation
from gammafind.sky.patches import Patches, PatchGrid, patch_widths
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap

__all__ = ["SkyRenderer"]

_EPOCH_NSIDE = 32
"""Of exposures of epochs, of which shares are taken, that change slowly over the sky."""


@dataclass(frozen=True, kw_only=True)
class SkyRenderer(Plugin):
    """Knows an instrument: its bands, PSF, exposure, background, and what a source looks like."""

    presets: ClassVar[tuple[str, ...]] = ()
    """TOML files of the presets that use this renderer, as package resources ``package:file``."""

    catalogues: ClassVar[Mapping[str, Callable[[], QTable]]] = {}
    """Published catalogues that come with it, by name: functions that load them."""

    map_files: ClassVar[str] = "counts*.fits"
    """Names of the files of `write_drawn` that `read_counts` takes, as a shell pattern."""

    classes: ClassVar[tuple[str, ...]] = ()
    """Classes of sources that the renderer knows; of any class where there are none."""

    reads_electrons: ClassVar[bool] = False
    """Whether its maps are images of a detector that reads out electrons, not counts of photons."""

    @property
    @abc.abstractmethod
    def bands(self) -> tuple[Band, ...]:
        """Bands of the maps."""

    @property
    @abc.abstractmethod
    def pixels(self) -> tuple[Pixels, ...]:
        """Default pixelisation of each band."""

    @property
    def epochs(self) -> tuple[str, ...]:
        """Names of the parts of the observing time that can be rendered apart; none by default."""
        return ()

    @property
    def selections(self) -> tuple[tuple[str, ...], ...]:
        """Cuts on the photons of each band, as headers tell them; none by default.

        They are written with simulated counts; see `gammafind.sky.fits.read_selections`.
        """
        return ((),) * len(self.bands)

    def at_epoch(self, index: int) -> SkyRenderer:
        """Return the renderer of one of the `epochs` alone; the maps of all add up to the whole.

        Raises
        ------
        OptionError
            If there is no such epoch.
        """
        if not 0 <= index < len(self.epochs):
            raise OptionError(
                f"epoch {index} of {self.name}", remedy=f"It has {len(self.epochs)} epochs."
            )
        return self._at_epoch(index)

    def epoch_exposures(self) -> tuple[SkyMap, ...]:
        """Exposure of each of the `epochs`, on coarse pixels; to be interpolated."""
        frames = (pixels.frame for pixels in self.pixels)
        coarse = tuple(HealpixPixels(_EPOCH_NSIDE, frame) for frame in frames)
        return tuple(self.at_epoch(i).exposure(coarse) for i in range(len(self.epochs)))

    @abc.abstractmethod
    def psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of each band."""

    def exposure(self, pixels: Sequence[Pixels] | None = None) -> SkyMap:
        """Exposure of each band on ``pixels`` (by default the renderer's own)."""
        pixels = self._pixels(pixels)
        return SkyMap(self.bands, pixels, self._exposure(pixels), "exposure")

    def background(self, pixels: Sequence[Pixels] | None = None) -> dict[str, SkyMap]:
        """Expected counts of each background component on ``pixels``."""
        pixels = self._pixels(pixels)
        return {
            name: SkyMap(self.bands, pixels, values, "expected counts")
            for name, values in self._background(pixels).items()
        }

    def render(self, sources: QTable, pixels: Sequence[Pixels] | None = None) -> SkyMap:
        """Expected counts of ``sources`` on ``pixels``, without background.

        Raises
        ------
        TableError
            If the table lacks a column, holds a class that the renderer does not know, or values
            that cannot be.
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

    def components(
        self, sources: QTable, pixels: Sequence[Pixels] | None = None
    ) -> dict[str, SkyMap]:
        """Expected counts of each class of sources and of each background component, apart.

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

    def write_drawn(self, drawn: Drawn, folder: str | PathLike) -> None:
        """Write a draw into `map_files`; others, such as masks, may lie beside them.

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

    def accepts(self, selections: Sequence[Sequence[str]]) -> bool:
        """Whether files of such cuts can hold what this instrument sees; always by default.

        Parameters
        ----------
        selections : sequence of sequence of str
            Cuts of each file, as `gammafind.sky.fits.read_selections` returns them.
        """
        return True

    def read_counts(self, paths: Sequence[str | PathLike], *, frame: str | None = None) -> SkyMap:
        """Read count maps in the bands of this instrument.

        Parameters
        ----------
        paths : sequence of path-like
        frame : {"galactic", "icrs", "fk5"}, optional
            As for `gammafind.sky.fits.read_counts`.

        Raises
        ------
        InputFileError
            If a file cannot be used; the class names the fault.
        """
        return read_counts(paths, bands=self.bands, frame=frame)

    def bin_events(self, events: EventList) -> SkyMap:
        """Bin photons of the kind that PSF and exposure are given for, on the own pixels.

        Raises
        ------
        InputDataError
            If there is no such photon.
        """
        return bin_events(self.select_events(events), bands=self.bands, pixels=self.pixels)

    def read_catalogue(self, source: str | PathLike) -> QTable | None:
        """Sources of a published catalogue that the instrument's community knows.

        Parameters
        ----------
        source : path-like
            A file, or the name of a catalogue that comes with the renderer.

        Returns
        -------
        QTable or None
            In the schema SOURCES; None where it is no such catalogue, as by default.
        """
        return None

    def select_events(self, events: EventList) -> EventList:
        """Photons of the kind that PSF and exposure are given for; all of them by default."""
        return events

    def calibrate(self, detections: QTable) -> QTable:
        """Add the columns that the instrument's community expects, such as magnitudes.

        Parameters
        ----------
        detections : QTable
            Schema DETECTIONS.

        Returns
        -------
        QTable
            As it came in by default.
        """
        return detections

    def observe(self, counts: SkyMap) -> Observation:
        """Join counts with this instrument's background, exposure and PSF on the same pixels.

        An instrument whose sky is not known beforehand overrides this and estimates background
        and noise from the image itself.
        """
        return Observation(
            counts=counts,
            background=self.background(counts.pixels),
            exposure=self.exposure(counts.pixels),
            psfs=self.psfs(),
        )

    def _checked(self, sources: QTable) -> QTable:
        """Sources in their schema, all of classes that the renderer knows."""
        sources = conform(sources, SOURCES, what=f"the source table given to {self.name}")
        unknown = sorted(set(np.unique(sources["class_label"]).tolist()) - set(self.classes))
        if self.classes and unknown:
            raise TableError(
                f"{self.name} knows no sources of class {', '.join(map(repr, unknown))}",
                remedy=f"class_label is one of {', '.join(self.classes)}.",
            )
        return sources

    def _pixels(self, pixels: Sequence[Pixels] | None) -> tuple[Pixels, ...]:
        pixels = self.pixels if pixels is None else tuple(pixels)
        if len(pixels) != len(self.bands):
            raise ShapeError(f"{len(pixels)} pixelisations for {len(self.bands)} bands")
        return pixels

    @abc.abstractmethod
    def _exposure(self, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]: ...

    @abc.abstractmethod
    def _background(self, pixels: tuple[Pixels, ...]) -> Mapping[str, tuple[np.ndarray, ...]]: ...

    @abc.abstractmethod
    def _render(self, sources: QTable, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]: ...

    def _at_epoch(self, index: int) -> SkyRenderer:
        raise NotImplementedError

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
