"""Tiles of simulated images on disk, drawn once, and mapped into memory when they are read.

A set is a folder with one folder an image, which holds

- ``tiles.npy``: features of its tiles, float16, shape (n_tiles, side, side, 2), from
  `gammafind.plugins.image_unet.features.tile_features`;
- ``fwhm.npy``: width of the PSF in each tile, in pixels;
- ``truth.npy``: which sources are where, and the square of the signal-to-noise ratio of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from gammafind.errors import OptionError
from gammafind.plugins.image_unet.features import network_input
from gammafind.training.batches import Batch, Batches, turn_choices, turned_stack, turned_truth
from gammafind.training.draws import TurnOptions
from gammafind.training.sets import DataSet, Part, damaged, joined_truth, load_array, read_meta
from gammafind.training.targets import TargetOptions, target_maps


@dataclass(frozen=True, kw_only=True, eq=False)
class Tiles:
    """Some tiles.

    Attributes
    ----------
    features : ndarray of float16, shape (n, side, side, 2)
    fwhm : ndarray, shape (n,)
        In pixels.
    truth : ndarray of `gammafind.training.targets.TRUTH`
        Tiles are numbered as in the arrays.
    """

    features: np.ndarray
    fwhm: np.ndarray
    truth: np.ndarray


class _Image(Part):
    """The tiles of one image."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        read_meta(folder)
        self.features = load_array(folder, "tiles", "r")
        self.fwhm = load_array(folder, "fwhm", None)
        if self.features.ndim != 4 or len(self.features) != len(self):
            raise damaged(folder, "tiles.npy")
        self.widths = self.features.shape[1:2]

    def __len__(self) -> int:
        return len(self.fwhm)


class TileSet(DataSet[_Image]):
    """The tiles of some images of a set, mapped into memory."""

    part: ClassVar[type[Part]] = _Image

    @property
    def fwhm(self) -> tuple[float, float]:
        """Width of the PSF in pixels, within which it is in all but a fiftieth of the tiles."""
        widths = np.concatenate([image.fwhm for image in self.parts])
        return tuple(np.quantile(widths, [0.01, 0.99]).tolist())

    def read(self, rows: np.ndarray) -> Tiles:
        """Read some tiles, counted through all images."""
        places = self.places(rows)
        return Tiles(
            features=np.stack([image.features[tile] for image, tile in places]),
            fwhm=np.array([image.fwhm[tile] for image, tile in places]),
            truth=joined_truth(places),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class TileBatches(Batches):
    """The batches of each epoch; they depend on the seed and the number of the epoch alone.

    Parameters
    ----------
    data, per_epoch, batch_size, seed, fixed, threads : see `Batches`
        The data are a `TileSet`.
    targets : TargetOptions
        Their ``sigma`` is in FWHM of the PSF.
    draw : TurnOptions
    """

    samples: ClassVar[str] = "tiles"

    data: TileSet
    targets: TargetOptions
    draw: TurnOptions

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size > len(self.data):
            raise OptionError(
                f"batches of {self.batch_size} of {len(self.data)} tiles",
                remedy="Take smaller batches, or more images.",
            )

    def drawn(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        """Read some tiles, and turn them."""
        tiles = self.data.read(rows)
        features, truth, side = tiles.features, tiles.truth, tiles.features.shape[1]
        if self.draw.turns:
            choices = turn_choices(len(rows), rng)
            features = turned_stack(features, choices)
            truth = turned_truth(truth, choices, side)
        target = target_maps(truth, len(rows), side, self.targets, widths=tiles.fwhm)
        return (network_input(features, tiles.fwhm),), target
