"""What networks are trained on, and which kind of it an instrument gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from gammafind.networks.folder import Runner
from gammafind.networks.trained import LocaliserNetwork
from gammafind.presets.preset import build
from gammafind.recipes.patch_data import PatchData
from gammafind.recipes.recipe import Recipe
from gammafind.recipes.tile_data import TileData
from gammafind.roles.base import Plugin
from gammafind.training.loop import Samples
from gammafind.training.shards import Maker

__all__ = ["TrainingData", "data_of"]


class TrainingData(Protocol):
    """Training data of a recipe."""

    maker: Maker
    used: Mapping[str, Plugin]

    def architecture(self) -> LocaliserNetwork:
        """Return the network that is trained."""

    def batches(self, split: str, threads: int) -> Samples | None:
        """Batches of a set, None where it is empty."""

    def calibrated(self, run: Runner, architecture: LocaliserNetwork) -> LocaliserNetwork:
        """Learn what the scores of a trained network mean."""


def data_of(recipe: Recipe, folder: Path) -> TrainingData:
    """Training data of a recipe: tiles of a camera's images, patches of the sky of all others."""
    kind = TileData if build(recipe.preset.renderer).sees == "image" else PatchData
    return kind(recipe, folder)
