"""What a network finds in an image, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from astropy.table import QTable
from scipy.spatial import cKDTree

from gammafind.learning.tile_features import network_input, tile_features
from gammafind.learning.weights import Runner
from gammafind.measure.image_detections import image_detections
from gammafind.measure.point_fit import fit_points
from gammafind.measure.scene import Scene, scenes_of_image
from gammafind.plugins.unet.peaks import Peaks
from gammafind.plugins.unet.tile_architecture import TileArchitecture
from gammafind.plugins.unet.views import averaged
from gammafind.progress import track
from gammafind.sky.observation import Observation

__all__ = ["TileSearch", "search_image"]

_MARGIN = 32
"""Pixels about the core of a tile, which the network sees and other tiles own."""
_DOUBTFUL = 1.0
"""Pixels beyond its core within which a tile tells sources too: its neighbour may not."""
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


def search_image(observation: Observation, search: TileSearch) -> QTable:
    """Find the sources of an image, each once, and fit their positions and fluxes.

    Parameters
    ----------
    observation : Observation
    search : TileSearch

    Returns
    -------
    QTable
        Schema DETECTIONS; scores are those of ``search.find``.
    """
    parts = [np.zeros((0, 7))]
    number = 0
    for scenes in _batches(observation, search):
        peaks = search.find(_outputs(scenes, search))
        for index, scene in enumerate(scenes):
            chosen = peaks.patch == index
            rows = _measured(scene, *(at[chosen] for at in (peaks.x, peaks.y, peaks.score)))
            parts.append(np.column_stack([rows, np.full(len(rows), number)]))
            number += 1
    rows = _each_once(np.concatenate(parts))
    x, y, score, electrons, electrons_err, position_err, _ = rows.T
    scale = search.architecture.calibration.error_scale
    return image_detections(
        observation,
        x=x,
        y=y,
        score=score,
        electrons=electrons,
        electrons_err=electrons_err,
        position_err=position_err * scale,
    )


def _batches(observation: Observation, search: TileSearch) -> Iterator[list[Scene]]:
    """Tiles of an image, some at a time."""
    side = search.architecture.side
    scenes: list[Scene] = []
    for scene in track(scenes_of_image(observation, side=side, margin=_MARGIN), "tiles"):
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


def _measured(scene: Scene, x: np.ndarray, y: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Detections of a tile that it owns, or nearly.

    Rows of ``x, y``, score, electrons and their error, and the position error.
    """
    ny, nx = scene.excess.shape
    inside = (x < nx - 0.5) & (y < ny - 0.5)
    x, y, score = x[inside], y[inside], score[inside]
    seen = scene.at(scene.valid, x, y)
    x, y, score = x[seen], y[seen], score[seen]
    fit = fit_points(scene, x, y)
    inside = (fit.x > -0.5) & (fit.x < nx - 0.5) & (fit.y > -0.5) & (fit.y < ny - 0.5)
    x, y = np.where(inside, fit.x, x), np.where(inside, fit.y, y)
    left, low = scene.tile.corner
    x, y = x + left, y + low
    own = np.any(
        [
            scene.tile.owns(x + dx, y + dy)
            for dx in (-_DOUBTFUL, _DOUBTFUL)
            for dy in (-_DOUBTFUL, _DOUBTFUL)
        ],
        axis=0,
    )
    rows = np.column_stack([x, y, score, fit.electrons, fit.electrons_err, fit.position_err])
    return rows[own]


def _each_once(rows: np.ndarray) -> np.ndarray:
    """Drop the less sure one of two detections of one source in two tiles."""
    if not len(rows):
        return rows
    pairs = cKDTree(rows[:, :2]).query_pairs(_ONE_SOURCE, output_type="ndarray")
    tile, score = rows[:, -1], rows[:, 2]
    pairs = pairs[tile[pairs[:, 0]] != tile[pairs[:, 1]]]
    first = score[pairs[:, 0]] >= score[pairs[:, 1]]
    kept = np.ones(len(rows), dtype=bool)
    kept[np.where(first, pairs[:, 1], pairs[:, 0])] = False
    return rows[kept]
