"""Training from a recipe: a TOML file that says on what a network is trained, and how."""

from __future__ import annotations

from gammafind.recipes.classifier import train_classifier
from gammafind.recipes.classifier_recipe import ClassifierRecipe, read_classifier_recipe
from gammafind.recipes.localiser import train_localiser
from gammafind.recipes.recipe import Recipe, read_recipe
from gammafind.recipes.trained import Trained

__all__ = [
    "ClassifierRecipe",
    "Recipe",
    "Trained",
    "read_classifier_recipe",
    "read_recipe",
    "train_classifier",
    "train_localiser",
]
