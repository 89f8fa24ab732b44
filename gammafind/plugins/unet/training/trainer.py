"""How the localiser ``unet`` is trained from a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from gammafind.plugins.unet.training.patch_training import PatchTraining
from gammafind.training.recipe import Recipe

__all__ = ["UNetTrainer"]


class UNetTrainer:
    """Reads what is trained on patches of skies: a `gammafind.roles.trainer.Trainer`."""

    sections: ClassVar[tuple[str, ...]] = ("network", "features", "targets", "draw", "loss")

    def prepare(self, recipe: Recipe, folder: Path) -> PatchTraining:
        """Return the training of one stage."""
        return PatchTraining.read(recipe, folder)
