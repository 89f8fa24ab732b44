"""Batches of tiles of images, turned and flipped at random each time they are used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gammafind.errors import OptionError
from gammafind.plugins.image_unet.features import network_input
from gammafind.plugins.image_unet.training.tile_set import TileSet
from gammafind.training.batches import Batch, ahead, epoch_rows, turned_stack, turned_truth
from gammafind.training.targets import TargetOptions, target_maps
from gammafind.utils.streams import stream

__all__ = ["TileBatches"]

_CHOICE, _DRAW = 0, 1


@dataclass(frozen=True, kw_only=True, eq=False)
class TileBatches:
    """The batches of each epoch; they depend on the seed and the number of the epoch alone.

    Parameters
    ----------
    tiles : TileSet
    n_tiles : int
        Tiles an epoch, a whole number of batches of which is used. Where there are more than the
        set holds, all are seen equally often.
    batch_size : int
        Tiles a batch.
    seed : int or tuple of int
    targets : TargetOptions
        Their ``sigma`` is in FWHM of the PSF.
    turns : bool
        Turn each tile by a random number of quarters, and flip half of them.
    fixed : bool
        Whether all epochs are the same, as validation needs.
    threads : int
        How many batches are prepared at once, in parallel to the training.
    """

    tiles: TileSet
    n_tiles: int
    batch_size: int = 8
    seed: int | tuple[int, ...] = 0
    targets: TargetOptions
    turns: bool = True
    fixed: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= min(self.n_tiles, max(len(self.tiles), 1)):
            raise OptionError(
                f"batches of {self.batch_size} of {len(self.tiles)} tiles, "
                f"{self.n_tiles} of them an epoch",
                remedy="Take smaller batches, or more images.",
            )

    def __len__(self) -> int:
        return self.n_tiles // self.batch_size

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, prepared by threads that run ahead.

        Parameters
        ----------
        number : int
            From 0.
        """
        number = 0 if self.fixed else number
        rng = stream(self.seed, _CHOICE, number)
        rows = epoch_rows(len(self.tiles), len(self), self.batch_size, rng=rng)

        def make(i: int) -> Batch:
            return self._batch(rows[i], stream(self.seed, _DRAW, number, i))

        return ahead(make, len(self), self.threads)

    def _batch(self, rows: np.ndarray, rng: np.random.Generator) -> Batch:
        tiles = self.tiles.read(rows)
        features, truth, side = tiles.features, tiles.truth, tiles.features.shape[1]
        if self.turns:
            choices = rng.integers(0, 2, (len(rows), 3)).astype(bool)
            features = turned_stack(features, choices)
            truth = turned_truth(truth, choices, side)
        target = target_maps(truth, len(rows), side, self.targets, widths=tiles.fwhm)
        return (network_input(features, tiles.fwhm),), target
