"""What a network finds in an image, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from astropy.table import QTable
from scipy.spatial import cKDTree

from gammafind.fitting.image.detections import image_detections
from gammafind.fitting.image.point_fit import fit_points
from gammafind.fitting.image.scene import Scene, scenes_of_image
from gammafind.networks.peaks import Peaks
from gammafind.networks.tile_features import network_input, tile_features
from gammafind.networks.views import averaged
from gammafind.networks.weights import Runner
from gammafind.plugins.unet.tile_architecture import TileArchitecture
from gammafind.plugins.unet.tile_evidence import tile_evidence
from gammafind.sky.observation import Observation
from gammafind.utils.progress import track
from gammafind.utils.workers import in_threads

__all__ = ["MARGIN", "TileSearch", "search_image"]

MARGIN = 24
"""Pixels about the core of a tile, which the network sees and other tiles own."""
_DOUBTFUL = 1.0
"""Pixels beyond its core within which a tile tells sources too: its neighbour may not."""
_N_MEASURED = 6
"""Columns of a detection before those of its evidence."""
_ONE_SOURCE = 1.5
"""Detections of two tiles that are nearer than this, in pixels, are of one source."""


@dataclass(frozen=True, kw_only=True)
class TileSearch:
    """How tiles are looked at.

    Parameters
    ----------
    run : Runner
        The network.
    find : callable
        From its output to detections.
    architecture : TileArchitecture
    batch_size : int
    views : int
    """

    run: Runner
    find: Callable[[np.ndarray], Peaks]
    architecture: TileArchitecture
    batch_size: int
    views: int


def search_image(observation: Observation, search: TileSearch) -> tuple[QTable, np.ndarray]:
    """Find the sources of an image, each once, and fit their positions and fluxes.

    Parameters
    ----------
    observation : Observation
    search : TileSearch

    Returns
    -------
    detections : QTable
        Schema DETECTIONS; scores are those of ``search.find``.
    evidence : ndarray, shape (n, k)
        What is known of each beside; see `gammafind.plugins.unet.tile_evidence.tile_evidence`.
    """
    parts = []
    for scenes in _batches(observation, search):
        peaks = search.find(_outputs(scenes, search))
        found = [peaks.of_patch(i) for i in range(len(scenes))]
        parts += in_threads(partial(_measured, scenes, found), range(len(scenes)))
    tile = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    rows = np.concatenate(parts)
    rows = rows[_each_once(rows, tile)]
    x, y, score, electrons, electrons_err, position_err = rows[:, :_N_MEASURED].T
    scale = search.architecture.calibration.error_scale
    table = image_detections(
        observation,
        x=x,
        y=y,
        score=score,
        electrons=electrons,
        electrons_err=electrons_err,
        position_err=position_err * scale,
    )
    return table, rows[:, _N_MEASURED:]


def _batches(observation: Observation, search: TileSearch) -> Iterator[list[Scene]]:
    """Tiles of an image, some at a time."""
    side = search.architecture.side
    scenes: list[Scene] = []
    for scene in track(scenes_of_image(observation, side=side, margin=MARGIN), "tiles"):
        scenes.append(scene)
        if len(scenes) == search.batch_size:
            yield scenes
            scenes = []
    if scenes:
        yield scenes


def _outputs(scenes: Sequence[Scene], search: TileSearch) -> np.ndarray:
    """What the network says of some tiles."""
    side = search.architecture.side
    seen = np.stack([tile_features(scene, side) for scene in scenes])
    inputs = network_input(seen, np.array([scene.fwhm for scene in scenes]))
    return averaged(search.run, (inputs,), search.views)


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
