"""``gammafind train``: networks that find or classify sources, trained from a recipe."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gammafind.cli.arguments import command_line, parse_path

if TYPE_CHECKING:
    from gammafind.recipes import ClassifierRecipe, Recipe, Trained

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "train a network from a recipe"
EXAMPLES = """\
  gammafind train localiser recipe.toml -o trained
  gammafind train localiser recipe.toml -o trained --resume --workers 2
  gammafind train classifier recipe.toml -o trained

The recipe is a TOML file; this one will do:
  [training]
  preset = "fermi-lat-psf3-2-20"

Missing catalogues are rendered first. After an interruption --resume goes on where
the last epoch ended, and gives what an unbroken run would have given."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("role", choices=("localiser", "classifier"), help="what the network is for")
    parser.add_argument("recipe", type=parse_path, metavar="RECIPE.toml", help="on what, and how")
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="folder of the training"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the training that is in the folder"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes that render, and threads that draw batches (default: 1)",
    )


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind import recipes

    read, train = {
        "localiser": (recipes.read_recipe, recipes.train_localiser),
        "classifier": (recipes.read_classifier_recipe, recipes.train_classifier),
    }[arguments.role]
    recipe = read(arguments.recipe)
    try:
        done = train(
            recipe,
            arguments.output,
            resume=arguments.resume,
            workers=arguments.workers,
            command=command_line(arguments),
        )
    except KeyboardInterrupt:
        stays = "whole catalogues and epochs stay, and --resume goes on"
        raise KeyboardInterrupt(stays) from None
    if arguments.verbosity >= 0:
        print("\n".join(_summary(done, recipe, arguments.role)))


def _summary(done: Trained, recipe: Recipe | ClassifierRecipe, role: str) -> list[str]:
    from gammafind.training.history import best_row

    best = best_row(done.history)
    test = "" if done.test_loss is None else f", test {done.test_loss:.5f}"
    weights, preset = shlex.quote(str(done.weights)), shlex.quote(recipe.preset.name)
    plugins = "--localiser unet"
    if role == "classifier":
        plugins = f"--localiser {recipe.preset.localiser.name} --classifier {recipe.classifier}"
    return [
        f"{len(done.history)} epochs, {done.seconds:.0f} s; weights of epoch {best['epoch']:.0f}: "
        f"loss {best['loss']:.5f}, validation {best['val_loss']:.5f}{test}",
        f"written: {done.weights}",
        "next:",
        f"  gammafind detect MAP... --preset {preset} {plugins} "
        f"--option {role}.weights={weights} -o found.ecsv",
    ]
