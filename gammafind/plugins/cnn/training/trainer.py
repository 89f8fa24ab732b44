"""How the classifier ``cnn`` is trained from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from gammafind.plugins.cnn.training.cutout_training import CutoutTraining
from gammafind.training.recipe import Recipe

__all__ = ["CnnTrainer"]


class CnnTrainer:
    """Reads what is trained on cut-outs of maps: a `gammafind.roles.trainer.Trainer`."""

    sections: ClassVar[tuple[str, ...]] = ("network", "detections", "cutouts")

    def prepare(self, recipe: Recipe, folder: Path) -> CutoutTraining:
        """Return the training of one stage."""
        return CutoutTraining.read(recipe, folder)
