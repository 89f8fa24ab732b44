"""One simulated catalogue: its sources, expected counts, counts and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.io import write_table
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.simulation.epochs import draw_epochs
from gammafind.simulation.folders import filled_folder, write_record
from gammafind.simulation.sky import SimulatedSky, total_counts, true_sources
from gammafind.sky.drawn import Drawn
from gammafind.sky.fits import write_expected
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.utils.progress import stage, track
from gammafind.utils.streams import streams


@dataclass(frozen=True, kw_only=True)
class Made:
    """A finished catalogue: its folder and its numbers of sources and counts.

    Attributes
    ----------
    folder : Path
    n_sources, n_counts : int
        Number of sources, and of counts (for images, of electrons).
    """

    folder: Path
    n_sources: int
    n_counts: int


@dataclass(frozen=True, kw_only=True, eq=False)
class CatalogueMaker:
    """Makes the catalogues of a set; called with the index of a catalogue.

    Parameters
    ----------
    folder : Path
        Folder of the set.
    renderer : SkyRenderer
    origin : SourcePopulation or QTable
        Population that draws the sources, or a table of sources.
    settings : mapping
        Everything that determines the contents of the files, except the index; JSON.
    history : mapping
        Additional information for the record, such as command line and date; JSON.
    """

    folder: Path
    renderer: SkyRenderer
    origin: SourcePopulation | QTable
    settings: Mapping[str, Any]
    history: Mapping[str, Any]

    def __call__(self, index: int) -> Made:
        """Make the catalogue with this index."""
        settings = self.settings_of(index)
        random = streams(self.settings["seed"], index)
        with stage("drawing the sources"):
            sources = true_sources(self.origin, rng=random.sources)
        with stage("rendering the sources"):
            of_sources = self.renderer.render(sources)
        expected = {"sources": of_sources, **self.background}
        with stage("drawing the counts"):
            drawn = self.renderer.draw(total_counts(expected), rng=random.counts)
            meta = {key: settings[key] for key in ("preset", "seed", "index")}
            drawn = replace(drawn, counts=replace(drawn.counts, meta=meta))
        folder = self.place(index)
        with stage("writing the catalogue"), filled_folder(folder) as filled:
            self._write(filled, sources, drawn, settings)
            if settings.get("epochs"):
                sky = SimulatedSky(sources, of_sources, self._observation(drawn.counts))
                self._write_epochs(filled / "epochs", sky, random.epochs)
            numbers = _numbers(sources, expected, drawn.counts)
            write_record(filled, settings, **numbers, **self.history)
        n_counts = sum(int(values.sum(dtype=float)) for values in drawn.counts.values)
        return Made(folder=folder, n_sources=len(sources), n_counts=n_counts)

    @cached_property
    def background(self) -> dict[str, SkyMap]:
        """Components of the background, the same in all catalogues."""
        with stage("modelling the background"):
            return self.renderer.background()

    def place(self, index: int) -> Path:
        """Folder of a catalogue."""
        return self.folder / catalogue_name(index)

    def settings_of(self, index: int) -> dict[str, Any]:
        """Everything that determines the contents of the files of one catalogue."""
        return {**self.settings, "index": index}

    def _write(
        self, folder: Path, sources: QTable, drawn: Drawn, settings: Mapping[str, Any]
    ) -> None:
        table = QTable(sources, copy=False)
        table.meta = {**sources.meta, **settings}
        write_table(table, folder / f"sources.{settings['format']}")
        self.renderer.write_drawn(drawn, folder)
        if drawn.artefacts is not None:
            write_table(drawn.artefacts, folder / f"artefacts.{settings['format']}")
        if settings["maps"]:
            self._write_maps(folder / "maps", sources)

    def _observation(self, counts: SkyMap) -> Observation:
        exposure, psfs = self.renderer.exposure(), self.renderer.psfs()
        return Observation(counts, self.background, exposure, psfs)

    def _write_epochs(self, folder: Path, sky: SimulatedSky, rng: np.random.Generator) -> None:
        folder.mkdir()
        epochs = draw_epochs(sky, self.renderer, rng=rng)
        for name, counts in zip(self.renderer.epochs, epochs.counts, strict=True):
            (folder / name).mkdir()
            self.renderer.write_drawn(Drawn(counts=counts), folder / name)

    def _write_maps(self, folder: Path, sources: QTable) -> None:
        folder.mkdir()
        names = self.renderer.epochs or ("all",)
        for i, band in enumerate(track(self.renderer.bands, "maps")):
            for component, maps in self.renderer.component_epochs(sources, i):
                write_expected(
                    dict(zip(names, maps, strict=True)),
                    folder / f"{component}_{band.name}.fits".replace(" ", ""),
                    band=band,
                    pixels=self.renderer.pixels[i],
                    component=component,
                )


def catalogue_name(index: int) -> str:
    """Name of the folder of a catalogue."""
    return f"catalogue-{index:04d}"


def _numbers(sources: QTable, expected: Mapping[str, SkyMap], counts: SkyMap) -> dict[str, Any]:
    """Number of sources of each class, and expected and drawn counts in each band."""
    classes, numbers = np.unique(sources["class_label"], return_counts=True)
    return {
        "n_sources": dict(zip(classes.tolist(), numbers.tolist(), strict=True)),
        "counts": [
            {
                "band": band.name,
                "drawn": int(counts.values[i].sum(dtype=float)),
                "expected": {
                    name: float(sky.values[i].sum(dtype=float)) for name, sky in expected.items()
                },
            }
            for i, band in enumerate(counts.bands)
        ],
    }
