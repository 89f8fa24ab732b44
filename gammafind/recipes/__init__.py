"""Training from a recipe: a TOML file that says on what a network is trained, and how."""

from __future__ import annotations

from gammafind.recipes.localiser import Trained, train_localiser
from gammafind.recipes.recipe import Recipe, read_recipe

__all__ = ["Recipe", "Trained", "read_recipe", "train_localiser"]
