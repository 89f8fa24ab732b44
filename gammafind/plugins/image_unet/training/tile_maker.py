"""Simulated images for the training of a network, cut into tiles of what it sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.errors import ConfigError
from gammafind.fitting.image.point_limits import signal_to_noise
from gammafind.fitting.image.scene import Scene, scenes_of_image
from gammafind.plugins.image_unet.features import tile_features
from gammafind.presets.preset import Preset, build
from gammafind.roles.renderer import SkyRenderer
from gammafind.simulation.sky import SimulatedSky, simulated_sky
from gammafind.training.sets import Maker
from gammafind.training.targets import TRUTH
from gammafind.training.variation import Variation, in_order, varied
from gammafind.utils.streams import streams

_AT_ONCE = 500
"""Sources whose signal-to-noise ratio is computed together."""
_MARGIN = 8.0
"""Pixels beyond the border of a tile within which sources are listed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class TileMaker(Maker):
    """Simulates images and cuts them into tiles; called with an index, it makes that image.

    Parameters
    ----------
    folder, settings, seed : see `Maker`
    preset : Preset
        With a population.
    variation : mapping
        Options that differ from image to image.
    side : int
        Pixels a side of a tile.
    """

    preset: Preset
    variation: Variation = field(default_factory=dict)
    side: int = 256

    def fill(self, folder: Path, index: int) -> dict[str, Any]:
        """Simulate an image and write its tiles.

        Raises
        ------
        ConfigError
            If an image is smaller than a tile.
        """
        renderer, sky = self.sky(index)
        shape = sky.observation.counts.pixels[0].shape
        if min(shape) < self.side:
            raise ConfigError(
                f"images of {shape} pixels for tiles of {self.side}",
                remedy="Set shape of the renderer in the recipe; 1024 is a good side.",
            )
        scenes = list(scenes_of_image(sky.observation, side=self.side, margin=0))
        np.save(folder / "tiles.npy", np.stack([tile_features(s, self.side) for s in scenes]))
        np.save(folder / "fwhm.npy", np.array([scene.fwhm for scene in scenes]))
        np.save(folder / "truth.npy", _truth(sky, renderer, scenes))
        return {}

    def sky(self, index: int) -> tuple[SkyRenderer, SimulatedSky]:
        """Simulate the image of an index, and return the instrument that sees it so."""
        preset = varied(self.preset, self.variation, rng=streams(self.seed, index).settings)
        renderer, population = build(preset.renderer), build(preset.population)
        return renderer, simulated_sky(renderer, population, seed=self.seed, index=index)

    def own_settings(self) -> dict[str, Any]:
        """What varies, in its order, and how images are cut."""
        return {"vary": in_order(self.variation), "side": self.side}


def _truth(sky: SimulatedSky, renderer: SkyRenderer, scenes: list[Scene]) -> np.ndarray:
    """Sources of each tile, in its pixels, with the square of their signal-to-noise ratio."""
    sources = sky.sources
    pixels = sky.observation.counts.pixels[0]
    x, y = pixels.xy(SkyCoord(sources["ra"], sources["dec"]))
    electrons = renderer.source_counts(sources)[:, 0]
    records = []
    for index, scene in enumerate(scenes):
        left, low = scene.tile.corner
        ny, nx = scene.excess.shape
        near = (np.abs(x - left - (nx - 1) / 2) < nx / 2 + _MARGIN) & (
            np.abs(y - low - (ny - 1) / 2) < ny / 2 + _MARGIN
        )
        rows = np.flatnonzero(near)
        record = np.empty(len(rows), dtype=TRUTH)
        record["patch"], record["source"] = index, rows
        record["x"], record["y"] = x[rows] - left, y[rows] - low
        record["ts"] = _snr(scene, electrons[rows]) ** 2
        records.append(record)
    return np.concatenate(records)


def _snr(scene: Scene, electrons: np.ndarray) -> np.ndarray:
    """Signal-to-noise ratio that lone sources would have in the noise of a part of an image."""
    noise = float(np.median(scene.noise))
    parts = [electrons[i : i + _AT_ONCE] for i in range(0, len(electrons), _AT_ONCE)]
    ratios = [signal_to_noise(scene.psf, scene.pixel_size, part, noise) for part in parts]
    return np.concatenate([np.zeros(0), *ratios])
