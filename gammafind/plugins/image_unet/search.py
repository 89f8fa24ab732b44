"""The search of an image by a network, tile by tile, in four steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from astropy.table import QTable
from scipy.spatial import cKDTree

from gammafind.fitting.image.detections import image_detections
from gammafind.fitting.image.point_fit import fit_points
from gammafind.fitting.image.scene import Scene, scenes_of_image
from gammafind.networks.folder import Runner
from gammafind.networks.peaks import PeakFinder, Peaks
from gammafind.networks.views import averaged
from gammafind.plugins.image_unet.architecture import TileArchitecture
from gammafind.plugins.image_unet.evidence import tile_evidence
from gammafind.plugins.image_unet.features import network_input, tile_features
from gammafind.roles.localiser import SCORE_MAP
from gammafind.sky.observation import Observation
from gammafind.sky.score_map import ImageScores
from gammafind.utils.progress import track
from gammafind.utils.workers import in_threads

MARGIN = 24
"""Pixels around the core of a tile, which the network sees but other tiles report."""
_DOUBTFUL = 1.0
"""Pixels beyond its core within which a tile reports sources too: its neighbour may not."""
_N_MEASURED = 6
"""Columns of a detection before those of its evidence."""
_ONE_SOURCE = 1.5
"""Detections of two tiles that are nearer than this, in pixels, are of one source."""


@dataclass(frozen=True, eq=False)
class Sightings:
    """What network and fit say of the sources of an image, n of them.

    Attributes
    ----------
    table : QTable
        Schema DETECTIONS; scores are those of the network alone.
    entries : ndarray, shape (n, k)
        Of `gammafind.networks.ranking.Ranking`.
    """

    table: QTable
    entries: np.ndarray


@dataclass(frozen=True, kw_only=True)
class ImageSearch:
    """The search of an image by a network; `find` takes all steps.

    Parameters
    ----------
    run : Runner
        The network.
    architecture : TileArchitecture
        With a calibration.
    peaks : PeakFinder
        Makes detections of its output.
    batch_size : int
        Tiles that are processed together.
    views : int
        Ways of turning and flipping each tile over which its scores are averaged.
    """

    run: Runner
    architecture: TileArchitecture
    peaks: PeakFinder
    batch_size: int = 32
    views: int = 4

    def find(self, observation: Observation) -> QTable:
        """Take all steps: detections with fluxes, each as probable as all that is known says."""
        return self.ranked(self.look(observation))

    def look(self, observation: Observation) -> Sightings:
        """Steps 1 to 3: find the sources of an image without duplicates, and fit them."""
        parts = []
        scores = ImageScores(observation.counts)
        for scenes in self._batches(observation):
            output = self._output(scenes)
            self._keep_scores(scores, scenes, output[..., 0])
            peaks = self.peaks(output, self.architecture.calibration)
            found = [peaks.of_patch(i) for i in range(len(scenes))]
            parts += in_threads(partial(_measured, scenes, found), range(len(scenes)))
        tile = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        rows = np.concatenate(parts)
        rows = rows[_each_once(rows, tile)]
        x, y, score, electrons, electrons_err, position_err = rows[:, :_N_MEASURED].T
        table = image_detections(
            observation,
            x=x,
            y=y,
            score=score,
            electrons=electrons,
            electrons_err=electrons_err,
            position_err=position_err * self.architecture.calibration.error_scale,
        )
        table.meta[SCORE_MAP] = scores.map()
        return Sightings(table, rows[:, _N_MEASURED:])

    def ranked(self, seen: Sightings) -> QTable:
        """Step 4: score the detections by all that is known."""
        table = QTable(seen.table, copy=True)
        if len(table):
            table["score"] = self.architecture.ranking.probability(seen.entries)
        return table

    def _keep_scores(
        self, scores: ImageScores, scenes: Sequence[Scene], logits: np.ndarray
    ) -> None:
        """Add the probabilities of some tiles."""
        for scene, one in zip(scenes, logits, strict=True):
            ny, nx = scene.excess.shape
            probability = self.architecture.calibration.probability(one[:ny, :nx])
            shown = np.where(scene.valid, probability, 0)
            scores.add(scene.tile.rows, scene.tile.columns, shown)

    def _batches(self, observation: Observation) -> Iterator[list[Scene]]:
        """Tiles of an image, some at a time."""
        side = self.architecture.side
        scenes: list[Scene] = []
        for scene in track(scenes_of_image(observation, side=side, margin=MARGIN), "tiles"):
            scenes.append(scene)
            if len(scenes) == self.batch_size:
                yield scenes
                scenes = []
        if scenes:
            yield scenes

    def _output(self, scenes: Sequence[Scene]) -> np.ndarray:
        """What the network says of some tiles."""
        seen = np.stack([tile_features(scene, self.architecture.side) for scene in scenes])
        inputs = network_input(seen, np.array([scene.fwhm for scene in scenes]))
        return averaged(self.run, (inputs,), self.views)


def _measured(scenes: Sequence[Scene], found: Sequence[Peaks], index: int) -> np.ndarray:
    """Detections of one of some tiles that it owns, or nearly.

    Rows of ``x, y``, score, electrons and their error, the position error, and the evidence.
    """
    scene, peaks = scenes[index], found[index]
    ny, nx = scene.excess.shape
    peaks = peaks.select((peaks.x < nx - 0.5) & (peaks.y < ny - 0.5))
    peaks = peaks.select(scene.at(scene.valid, peaks.x, peaks.y))
    fit = fit_points(scene, peaks.x, peaks.y)
    inside = (np.abs(fit.x - (nx - 1) / 2) < nx / 2) & (np.abs(fit.y - (ny - 1) / 2) < ny / 2)
    left, low = scene.tile.corner
    x, y = np.where(inside, fit.x, peaks.x) + left, np.where(inside, fit.y, peaks.y) + low
    rows = np.column_stack(
        [
            *(x, y, peaks.score, fit.electrons, fit.electrons_err, fit.position_err),
            tile_evidence(peaks, fit, scene.fwhm),
        ]
    )
    steps = [(dx, dy) for dx in (-_DOUBTFUL, _DOUBTFUL) for dy in (-_DOUBTFUL, _DOUBTFUL)]
    return rows[np.any([scene.tile.owns(x + dx, y + dy) for dx, dy in steps], axis=0)]


def _each_once(rows: np.ndarray, tile: np.ndarray) -> np.ndarray:
    """Which detections stay, the surer one of two of one source in two tiles."""
    kept = np.ones(len(rows), dtype=bool)
    pairs = cKDTree(rows[:, :2]).query_pairs(_ONE_SOURCE, output_type="ndarray")
    pairs = pairs[tile[pairs[:, 0]] != tile[pairs[:, 1]]]
    first = rows[pairs[:, 0], 2] >= rows[pairs[:, 1], 2]
    kept[np.where(first, pairs[:, 1], pairs[:, 0])] = False
    return kept
