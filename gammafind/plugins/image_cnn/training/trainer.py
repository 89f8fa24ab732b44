"""How the classifier ``image-cnn`` is trained from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from gammafind.plugins.image_cnn.training.stamp_training import StampTraining
from gammafind.training.recipe import Recipe

__all__ = ["ImageCnnTrainer"]


class ImageCnnTrainer:
    """Reads what is trained on stamps of images: a `gammafind.roles.trainer.Trainer`."""

    sections: ClassVar[tuple[str, ...]] = ("network", "detections", "cutouts", "vary")

    def prepare(self, recipe: Recipe, folder: Path) -> StampTraining:
        """Return the training of one stage."""
        return StampTraining.read(recipe, folder)
