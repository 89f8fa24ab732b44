"""``gammafind train``: networks that find or classify sources, trained from a recipe."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gammafind.cli.arguments import command_line, parse_path

if TYPE_CHECKING:
    from gammafind.pipeline.train import Trained


SUMMARY = "train a network from a recipe"
EXAMPLES = """\
  gammafind train recipe.toml -o trained
  gammafind train recipe.toml -o trained --resume --workers 2

The recipe is a TOML file; this one will do:
  [localiser]
  name = "unet"
  [training]
  preset = "fermi-lat-psf3-2-20"

With a table [classifier] a classifier is trained. Missing catalogues are rendered first.
After an interruption --resume does what is not done yet, and gives what an unbroken run
would have given."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "role",
        nargs="?",
        choices=("localiser", "classifier"),
        help="what the network is for (default: what the recipe says)",
    )
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
    from gammafind.pipeline.train import train

    try:
        done = train(
            arguments.recipe,
            arguments.output,
            role=arguments.role,
            resume=arguments.resume,
            workers=arguments.workers,
            command=command_line(arguments),
        )
    except KeyboardInterrupt:
        stays = "complete catalogues and epochs stay, and --resume continues"
        raise KeyboardInterrupt(stays) from None
    if arguments.verbosity >= 0:
        print("\n".join(_summary(done)))


def _summary(done: Trained) -> list[str]:
    from gammafind.training.history import best_row, last_stage

    recipe, best = done.recipe, best_row(last_stage(done.history))
    test = "" if done.test_loss is None else f", test {done.test_loss:.5f}"
    weights, preset = shlex.quote(str(done.weights)), shlex.quote(recipe.preset.name)
    plugins = f"--{recipe.role} {recipe.plugin}"
    if recipe.role == "classifier":
        plugins = f"--localiser {recipe.preset.localiser.name} {plugins}"
    return [
        f"{len(done.history)} epochs, {done.seconds:.0f} s; weights of epoch {best['epoch']:.0f}: "
        f"loss {best['loss']:.5f}, validation {best['val_loss']:.5f}{test}",
        f"written: {done.weights}",
        "next:",
        f"  gammafind detect MAP... --preset {preset} {plugins} "
        f"--option {recipe.role}.weights={weights} -o found.ecsv",
    ]
