"""Detections of simulated skies whose sources are known: what a classifier is trained on.

A set is a folder with one folder a catalogue, which holds

- ``cutouts.npz``: what a classifier is given, see `gammafind.fitting.photons.cutouts.Cutouts`, and
  ``label``, ``source`` (row of the source, -1 for none) and ``inside``;
- ``detections.fits``: the detections of the localiser, then random positions without a score;
- ``sources.fits``: the catalogue, with the TS expected of each source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack
from astropy.units import Quantity

from gammafind.catalogue.io import read_table, write_table
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OutputError, TableError
from gammafind.fitting.cutters import CUTTERS
from gammafind.fitting.photons.expected import rendered_ts
from gammafind.presets.preset import PatchLayout
from gammafind.roles.base import Sees
from gammafind.roles.localiser import Localiser
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.simulation.epochs import draw_epochs
from gammafind.simulation.sky import SimulatedSky, simulated_sky
from gammafind.sky.cutouts import CutoutLayout
from gammafind.sky.epochs import Epochs
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.projection import positions_of
from gammafind.training.labelled import LabelledCutouts
from gammafind.training.options import at_least
from gammafind.training.sets import Maker, shard_folder
from gammafind.utils.files import atomic_output
from gammafind.utils.progress import stage
from gammafind.utils.reading import reading
from gammafind.utils.streams import stream, streams

LOCALISER_SCORE = "told"
"""Name of the scores of the localiser, probabilities or not; NaN at random positions."""

_PLACES, _PHOTONS = 4, 5
"""Random streams in addition to those of `gammafind.utils.streams.streams`."""


@dataclass(frozen=True, kw_only=True)
class DetectionOptions:
    """Which detections a classifier is trained on.

    Parameters
    ----------
    min_score : float
        Least score.
    random_fakes : int
        Positions at random in each sky, away from sources; they are FAKE too.
    """

    min_score: float = 0.2
    random_fakes: int = 500

    def __post_init__(self) -> None:
        at_least("random_fakes", self.random_fakes, 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionMaker(Maker):
    """Simulates skies and searches them; called with an index, it makes that one.

    The catalogue of a seed and an index is the one that `gammafind.simulate` makes.

    Parameters
    ----------
    folder, settings, seed : see `Maker`
    renderer : SkyRenderer
    population : SourcePopulation
    localiser : Localiser
        The classifier is trained for its detections.
    classes : tuple of str
        Of the classifier.
    fake : str
        That of detections without a source.
    layout : CutoutLayout
    detections : DetectionOptions
    patches : PatchLayout
    radius : Quantity
        Within which a detection is that of a source.
    """

    sees: ClassVar[Sees] = "maps"

    renderer: SkyRenderer
    population: SourcePopulation
    localiser: Localiser
    classes: tuple[str, ...]
    fake: str
    layout: CutoutLayout
    detections: DetectionOptions
    patches: PatchLayout
    radius: Quantity

    def fill(self, folder: Path, index: int) -> dict[str, Any]:
        """Simulate a sky, search it, and cut out what was found."""
        with stage("simulating the sky"):
            sky = self._sky(index)
        epochs = self._epochs(sky, index)
        detections = self._detections(sky, index)
        cutouts = CUTTERS[self.sees](
            sky.observation,
            detections,
            layout=self.layout,
            epochs=epochs,
            probabilities=self.localiser.scores_are_probabilities,
        )
        label, source = self._labels(detections, sky, cutouts.arrays)
        with atomic_output(folder / "cutouts.npz", overwrite=True) as temporary:
            labels = {"label": label, "source": source, "inside": cutouts.inside}
            np.savez_compressed(temporary, **cutouts.arrays, **labels)
        write_table(detections, folder / "detections.fits", overwrite=True)
        write_table(sky.sources, folder / "sources.fits", overwrite=True)
        return {"n_detections": len(detections)}

    def own_settings(self) -> dict[str, Any]:
        """What decides how skies are searched, and what is cut out."""
        return {
            "classes": self.classes,
            "layout": self.layout.n_pixels,
            "widths": self.layout.widths,
            "epoch_width": self.layout.epoch_width,
            **asdict(self.detections),
            "nside": self.patches.nside,
            "size": str(self.patches.size),
            "n_pixels": self._widths,
            "radius": str(self.radius),
        }

    @property
    def _widths(self) -> tuple[int, ...] | None:
        return self.patches.widths(len(self.renderer.bands))

    def _sky(self, index: int) -> SimulatedSky:
        sky = simulated_sky(self.renderer, self.population, seed=self.seed, index=index)
        sky.sources["ts"] = rendered_ts(self.renderer, sky.sources)
        return sky

    def _labels(
        self, detections: QTable, sky: SimulatedSky, arrays: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Class and source of each detection."""
        return labels_of(
            detections, sky.sources, classes=self.classes, fake=self.fake, radius=self.radius
        )

    def _epochs(self, sky: SimulatedSky, index: int) -> Epochs | None:
        if not self.renderer.epochs:
            return None
        with stage("sharing counts out among the epochs"):
            return draw_epochs(sky, self.renderer, rng=streams(self.seed, index).epochs)

    def _detections(self, sky: SimulatedSky, index: int) -> QTable:
        """What the localiser finds, and positions at random."""
        counts = sky.observation.counts
        frame = counts.pixels[0].frame
        grid = PatchGrid.healpix(self.patches.nside, size=self.patches.size, frame=frame)
        found = self.localiser.localise_sky(
            sky.observation, grid=grid, n_pixels=self._widths, rng=self._rng(index, _PHOTONS)
        )
        found = found[np.asarray(found["score"]) >= self.detections.min_score]
        there = self._places(sky, self._rng(index, _PLACES))
        near = there.match_to_catalog_sky(sky_positions(sky.sources))[1]
        there = there[near > self.radius]
        random = QTable({"ra": there.ra, "dec": there.dec, "score": np.full(len(there), np.nan)})
        return vstack([found, random])

    def _places(self, sky: SimulatedSky, rng: np.random.Generator) -> SkyCoord:
        """Positions at random on the whole sky."""
        vectors = rng.normal(size=(self.detections.random_fakes, 3))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return positions_of(vectors, sky.observation.counts.pixels[0].frame).icrs

    def _rng(self, index: int, number: int) -> np.random.Generator:
        return stream(self.seed, index, number)


def labels_of(
    detections: QTable,
    sources: QTable,
    *,
    classes: Sequence[str],
    fake: str,
    radius: Quantity,
) -> tuple[np.ndarray, np.ndarray]:
    """Classes of detections by the sources that they match.

    Parameters
    ----------
    detections, sources : QTable
    classes : sequence of str
    fake : str
        Class of detections without a source.
    radius : Quantity

    Returns
    -------
    label : ndarray of int, shape (n,)
        Place among ``classes``.
    source : ndarray of int, shape (n,)
        Row of ``sources``, -1 for none.

    Raises
    ------
    TableError
        If a source is of none of the classes.
    """
    place = class_places(sources["class_label"], classes)
    scored = np.flatnonzero(np.isfinite(np.asarray(detections["score"])))
    pairs = match_one_to_one(sky_positions(detections[scored]), sky_positions(sources), radius)
    source = np.full(len(detections), -1)
    source[scored[pairs.a]] = pairs.b
    label = np.full(len(detections), list(classes).index(fake))
    label[source >= 0] = place[source[source >= 0]]
    return label, source


def class_places(names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Place of each name among the classes.

    Raises
    ------
    TableError
        If one is none of them.
    """
    unknown = sorted(set(names) - set(classes))
    if unknown:
        raise TableError(
            f"there are sources of class {', '.join(unknown)}",
            remedy=f"The classifier knows {', '.join(classes)}.",
        )
    return np.array([list(classes).index(name) for name in names], dtype=int)


def read_detections(
    folder: Path, indices: Sequence[int], *, everywhere: bool = False
) -> LabelledCutouts:
    """Read the cut-outs of catalogues that were made.

    Parameters
    ----------
    folder : Path
        Of the set.
    indices : sequence of int
    everywhere : bool
        Read those that reach over the edge of the map too.

    Returns
    -------
    LabelledCutouts
        The arrays of the cut-outs and `LOCALISER_SCORE`, shape (n,).

    Raises
    ------
    OutputError
        If a file is damaged.
    """
    parts = []
    for index in indices:
        place = shard_folder(folder, index)
        path = place / "cutouts.npz"
        with (
            reading(path, "cannot be read", kind=OutputError, remedy="Remove its folder; go on."),
            path.open("rb") as opened,
            np.load(opened) as file,
        ):
            arrays = {name: file[name] for name in file.files}
        arrays[LOCALISER_SCORE] = np.asarray(
            read_table(place / "detections.fits")["score"], dtype=float
        )
        label, inside, _ = (arrays.pop(name) for name in ("label", "inside", "source"))
        parts.append(LabelledCutouts(arrays, label)[np.flatnonzero(inside | everywhere)])
    return LabelledCutouts.joined(parts)
