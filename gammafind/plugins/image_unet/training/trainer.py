"""How the localiser ``image-unet`` is trained from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from gammafind.plugins.image_unet.training.tile_training import TileTraining
from gammafind.training.recipe import Recipe

__all__ = ["ImageUNetTrainer"]


class ImageUNetTrainer:
    """Reads what is trained on tiles of images: a `gammafind.roles.trainer.Trainer`."""

    sections: ClassVar[tuple[str, ...]] = ("network", "targets", "draw", "loss", "vary")

    def prepare(self, recipe: Recipe, folder: Path) -> TileTraining:
        """Return the training of one stage."""
        return TileTraining.read(recipe, folder)
