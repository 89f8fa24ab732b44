"""The five roles that plugins fill.

Each public method is concrete: it checks what comes in, calls the underscored method that a
plugin writes, and checks and labels what comes back. The options of a plugin are the fields of
a frozen keyword-only dataclass, so that they come alike from TOML, the command line and Python.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from astropy.table import QTable, vstack

from gammafind.catalogue.merging import merge_detections
from gammafind.catalogue.schema import (
    CLUSTERS,
    DETECTIONS,
    PATCH_DETECTIONS,
    SOURCES,
    conform,
    empty_table,
)
from gammafind.errors import OptionError, ShapeError, TableError
from gammafind.sky.bands import Band
from gammafind.sky.cutouts import CutoutLayout
from gammafind.sky.drawn import Drawn
from gammafind.sky.fits import (
    EventList,
    bin_events,
    read_counts,
    write_counts,
    write_counts_by_nside,
)
from gammafind.sky.observation import Observation
from gammafind.sky.patches import Patches, PatchGrid
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap
from gammafind.sky.stacks import PatchStacks

__all__ = [
    "PLUGIN_NAME",
    "UNKNOWN",
    "Classifier",
    "Clusterer",
    "Localiser",
    "Plugin",
    "SkyRenderer",
    "SourcePopulation",
]

PLUGIN_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What the name of a plugin matches: kebab-case."""

UNKNOWN = "UNK"
"""Label of a source of which a classifier does not dare to say the class."""

_SUM_TOLERANCE = 1e-4
_EPOCH_NSIDE = 32
"""Of exposures of epochs, of which shares are taken, that change slowly over the sky."""


@dataclass(frozen=True, kw_only=True)
class Plugin(abc.ABC):
    """Base of all roles.

    Attributes
    ----------
    name : str
        Name of the plugin, kebab-case, unique within its role.
    """

    name: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class SourcePopulation(Plugin):
    """Draws catalogues of synthetic sources."""

    provides: ClassVar[tuple[str, ...]] = ()
    """Columns that `sample` adds to those of the schema."""

    def sample(self, *, rng: np.random.Generator) -> QTable:
        """Draw one catalogue.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        QTable
            ``name, ra, dec, class_label, flux`` and what the population `provides`.

        Raises
        ------
        TableError
            If the plugin returns a table without a promised column.
        """
        sources = conform(self._sample(rng), SOURCES, what=f"the catalogue of {self.name}")
        missing = [name for name in self.provides if name not in sources.colnames]
        if missing:
            raise TableError(f"the catalogue of {self.name} lacks {', '.join(missing)}")
        return sources

    @abc.abstractmethod
    def _sample(self, rng: np.random.Generator) -> QTable: ...


@dataclass(frozen=True, kw_only=True)
class SkyRenderer(Plugin):
    """Knows an instrument: its bands, PSF, exposure, background, and what a source looks like."""

    presets: ClassVar[tuple[str, ...]] = ()
    """TOML files of the presets that use this renderer, as package resources ``package:file``."""

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


@dataclass(frozen=True, kw_only=True)
class Clusterer(Plugin):
    """Turns a score map into clusters, one for each source."""

    def cluster(self, score_map: np.ndarray) -> QTable:
        """Find the clusters of a score map.

        Parameters
        ----------
        score_map : ndarray, shape (ny, nx)
            NaN where there is no score.

        Returns
        -------
        QTable
            ``x, y`` (0 at the centre of the first pixel), ``score, n_pixels``, highest first.

        Raises
        ------
        ShapeError
            If the map is not two-dimensional.
        OptionError
            If a value is infinite.
        """
        score_map = np.asarray(score_map, dtype=float)
        if score_map.ndim != 2:
            raise ShapeError(f"the score map has shape {score_map.shape}", remedy="It must be 2-D.")
        if np.any(np.isinf(score_map)):
            raise OptionError(
                "the score map holds infinite values", remedy="Use NaN where there is no score."
            )
        if score_map.size == 0:
            return empty_table(CLUSTERS)
        clusters = self._cluster(np.nan_to_num(score_map, nan=0.0))
        table = conform(clusters, CLUSTERS, what=f"the clusters of {self.name}")
        table.sort("score", reverse=True)
        return table

    @abc.abstractmethod
    def _cluster(self, score_map: np.ndarray) -> QTable: ...


@dataclass(frozen=True, kw_only=True)
class Localiser(Plugin):
    """Finds sources."""

    score_name: ClassVar[str] = "score"
    """What scores are called on pages, in figures and on the screen, such as TS or probability.

    It may be a property where it depends on the options, as may `published_score`.
    """

    published_score: ClassVar[float] = -np.inf
    """Lowest score that is published where nobody says another; by default all are published."""

    clusterer: Clusterer | None = None
    """Makes detections of score maps; None for the localiser's own default."""

    def localise(self, patches: Patches) -> QTable:
        """Find the sources of each patch.

        Returns
        -------
        QTable
            ``patch, x, y, score`` and, where known, ``pos_err``; pixels of the finest band.
        """
        return conform(
            self._localise(patches), PATCH_DETECTIONS, what=f"the detections of {self.name}"
        )

    def localise_sky(
        self,
        observation: Observation,
        *,
        grid: PatchGrid | None = None,
        n_pixels: Sequence[int] | None = None,
        rng: np.random.Generator | None = None,
    ) -> QTable:
        """Find the sources of a sky, each once.

        Parameters
        ----------
        observation : Observation
        grid : PatchGrid, optional
            The 768 patches of the paper by default.
        n_pixels : sequence of int, optional
            Pixels a side of a patch in each band; by default those that the localiser was trained
            for, or the least power of two that is as fine as the pixels of the map.
        rng : numpy.random.Generator, optional
            Lays photons within HEALPix pixels; seed 0 by default.

        Returns
        -------
        QTable
            ``ra, dec, glon, glat, score`` and what the localiser measures, highest score first.
        """
        rng = rng or np.random.default_rng(0)
        grid = grid or PatchGrid.healpix(frame=observation.counts.pixels[0].frame)
        found = self._localise_sky(observation, grid, n_pixels, rng)
        table = conform(found, DETECTIONS, what=f"the detections of {self.name}")
        table.sort("score", reverse=True)
        return table

    def _localise_sky(
        self,
        observation: Observation,
        grid: PatchGrid,
        n_pixels: Sequence[int] | None,
        rng: np.random.Generator,
    ) -> QTable:
        self._refuse_image(observation)
        widths = tuple(n_pixels or patch_widths(observation.counts.pixels, grid))
        return self._merged(PatchStacks(observation, grid, widths, rng))

    def _refuse_image(self, observation: Observation) -> None:
        """Raise an error where maps of the sky are wanted, and an image of a camera is given."""
        if observation.is_image:
            raise OptionError(
                f"{self.name} looks at maps of the sky, and this is an image of a camera",
                remedy="Search with --localiser unet, sep or daofind.",
            )

    def _merged(self, stacks: PatchStacks) -> QTable:
        """Detections of all patches, each source once."""
        found = []
        for start, patches in stacks:
            detections = self.localise(patches)
            detections["patch"] += start
            found.append(detections)
        return merge_detections(vstack(found), stacks.grid, max(stacks.n_pixels))

    @abc.abstractmethod
    def _localise(self, patches: Patches) -> QTable: ...


@dataclass(frozen=True, kw_only=True)
class Classifier(Plugin):
    """Names the class of each source from its cut-outs.

    Parameters
    ----------
    abstain : float
        Sources whose most probable class is less probable than this are called `UNKNOWN`; 0 for
        none.
    """

    classes: ClassVar[tuple[str, ...]]
    fakes: ClassVar[tuple[str, ...]] = ()
    """Classes of detections that are no sources; empty where there is none."""
    looks_at: ClassVar[str] = "maps"
    """A key of `gammafind.classification.CUTTERS`: from what its cut-outs are made."""

    abstain: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.abstain <= 1:
            raise OptionError(f"abstain is {self.abstain}", remedy="It lies between 0 and 1.")

    @property
    def layout(self) -> CutoutLayout:
        """Size of the cut-outs that it takes."""
        return CutoutLayout()

    @property
    def n_epochs(self) -> int:
        """Epochs that it looks at; 0 for none."""
        return 0

    @property
    def label_weights(self) -> np.ndarray:
        """Weights of the probabilities when the label is chosen, one a class; ones by default."""
        return np.ones(len(self.classes))

    def for_sky(self, bands: Sequence[Band], n_epochs: int) -> Self:
        """Return the classifier for a sky of these bands; itself by default.

        Parameters
        ----------
        bands : sequence of Band
        n_epochs : int
            Of which there are counts apart; 0 for none.

        Raises
        ------
        InputFileError
            If it cannot classify what is seen there; the message says what is missing.
        """
        return self

    def classify(self, cutouts: Mapping[str, np.ndarray]) -> QTable:
        """Class probabilities of each source.

        Parameters
        ----------
        cutouts : mapping of str to ndarray
            Inputs by name, each of shape (n_sources, ...).

        Returns
        -------
        QTable
            ``prob_<class>`` that sum to one, and ``class_label``: the class of the largest
            probability, weighted by `label_weights`, or `UNKNOWN`. Where several classes are no
            sources, the label is one of those if they are more probable together, and
            ``real_probability`` is the probability that it is a source.

        Raises
        ------
        ShapeError
            If the inputs differ in number, or the plugin returns another number of rows.
        OptionError
            If the plugin returns no probabilities.
        """
        lengths = {name: len(array) for name, array in cutouts.items()}
        if len(set(lengths.values())) != 1:
            raise ShapeError(f"the cut-outs hold {lengths} sources", remedy="Numbers must agree.")
        expected = (next(iter(lengths.values())), len(self.classes))
        probability = np.asarray(self._classify(cutouts), dtype=float)
        if probability.shape != expected:
            raise ShapeError(
                f"{self.name} returned probabilities of shape {probability.shape} "
                f"for {expected[0]} sources and {expected[1]} classes"
            )
        if not np.all((probability >= 0) & (probability <= 1 + _SUM_TOLERANCE)):
            raise OptionError(f"the probabilities of {self.name} are not between 0 and 1")
        if not np.allclose(probability.sum(axis=1), 1, atol=_SUM_TOLERANCE):
            raise OptionError(f"the probabilities of {self.name} do not sum to one")
        table = QTable({f"prob_{c}": probability[:, i] for i, c in enumerate(self.classes)})
        most = probability.max(axis=1, initial=0)
        weighted = probability * self.label_weights
        if len(self.fakes) > 1:
            real = ~np.isin(self.classes, self.fakes)
            table["real_probability"] = probability[:, real].sum(axis=1)
            table["real_probability"].info.description = "Probability of being a source"
            likely = weighted[:, real].sum(axis=1) >= weighted[:, ~real].sum(axis=1)
            weighted = np.where(likely[:, None] == real, weighted, 0)
        label = np.asarray(self.classes)[weighted.argmax(axis=1)]
        table["class_label"] = np.where(most >= self.abstain, label, UNKNOWN)
        return table

    @abc.abstractmethod
    def _classify(self, cutouts: Mapping[str, np.ndarray]) -> np.ndarray: ...


def patch_widths(pixels: Sequence[Pixels], grid: PatchGrid) -> tuple[int, ...]:
    """Pixels a side of a patch in each band: powers of two, as fine as the pixels of a map."""
    sizes = [one.pixel_size.to_value("deg") for one in pixels]
    return tuple(int(2 ** np.ceil(np.log2(grid.pixel_size(1) / size))) for size in sizes)


def no_detections() -> QTable:
    """Return what `Localiser.localise_sky` returns where nothing is found."""
    return empty_table(DETECTIONS)
