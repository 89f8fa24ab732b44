"""Tiles of simulated images on disk, drawn once, and mapped into memory when they are read.

A set is a folder with one folder an image, which holds

- ``tiles.npy``: features of its tiles, float16, shape (n_tiles, side, side, 2), from
  `gammafind.plugins.image_unet.features.tile_features`;
- ``fwhm.npy``: width of the PSF in each tile, in pixels;
- ``truth.npy``: which sources are where, and the square of the signal-to-noise ratio of each;
- ``meta.json``: how it was made. It is written last: an image that has it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from gammafind.errors import MissingFileError, OptionError
from gammafind.plugins.image_unet.features import network_input
from gammafind.training.batches import Batch, Batches, turn_choices, turned_stack, turned_truth
from gammafind.training.draws import TurnOptions
from gammafind.training.shard_set import META, damaged, joined_truth, load_array, shard_folder
from gammafind.training.targets import TargetOptions, target_maps

__all__ = ["TileBatches", "TileSet", "Tiles"]


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

    def __len__(self) -> int:
        return len(self.fwhm)


class TileSet:
    """The tiles of some images of a set, mapped into memory.

    Parameters
    ----------
    folder : Path
        Of the set.
    indices : sequence of int
        Of the images.

    Raises
    ------
    MissingFileError
        If an image is not there, or not whole.
    TruncatedFileError
        If a file of an image is damaged.
    """

    def __init__(self, folder: Path, indices: Sequence[int]) -> None:
        self._images = [_read(shard_folder(Path(folder), index)) for index in indices]
        self._ends = np.cumsum([len(image) for image in self._images], dtype=int)
        if len({image.features.shape[1] for image in self._images}) > 1:
            raise OptionError(
                f"the images in {folder} have tiles of different sides",
                remedy="Make them with one recipe.",
            )

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def fwhm(self) -> tuple[float, float]:
        """Width of the PSF in pixels, within which it is in all but a fiftieth of the tiles."""
        widths = np.concatenate([image.fwhm for image in self._images])
        return tuple(np.quantile(widths, [0.01, 0.99]).tolist())

    def read(self, rows: np.ndarray) -> Tiles:
        """Read some tiles, counted through all images."""
        owner = np.searchsorted(self._ends, rows, side="right")
        places = [
            (self._images[i], int(row - self._ends[i] + len(self._images[i])))
            for i, row in zip(owner, rows, strict=True)
        ]
        truths = [image.truth[image.truth["patch"] == tile] for image, tile in places]
        return Tiles(
            features=np.stack([image.features[tile] for image, tile in places]),
            fwhm=np.array([image.fwhm[tile] for image, tile in places]),
            truth=joined_truth(truths),
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


def _read(folder: Path) -> Tiles:
    try:
        json.loads((folder / META).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise MissingFileError(
            f"this is no whole image: it has no {META} that can be read",
            path=folder,
            remedy="Make it again.",
        ) from None
    tiles = Tiles(
        features=load_array(folder, "tiles", "r"),
        fwhm=load_array(folder, "fwhm", None),
        truth=load_array(folder, "truth", None),
    )
    if tiles.features.ndim != 4 or len(tiles.features) != len(tiles):
        raise damaged(folder, "tiles")
    return tiles
