"""Arguments of commands that take epochs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from gammafind.cli.arguments import parse_path
from gammafind.errors import OptionError


def add_times_argument(parser: ArgumentParser) -> None:
    """Add ``--epochs``."""
    parser.add_argument(
        "--epochs",
        nargs="+",
        metavar="TIME",
        help="epochs of photon lists: a length (30d), a number of equal parts, two or more times "
        "(dates or s of the mission elapsed time), or a file of them; sources get light curves",
    )


def add_epoch_argument(parser: ArgumentParser, use: str) -> None:
    """Add ``--epoch``."""
    parser.add_argument(
        "--epoch",
        action="append",
        nargs="+",
        default=[],
        type=parse_path,
        metavar="MAP",
        help=f"count maps of one year, {use}; once for each year of the preset, in order",
    )


def chosen_epochs(arguments: Namespace) -> Any:
    """Epochs by their times, or the maps of each.

    Raises
    ------
    OptionError
        If both are given, or times cannot be read.
    """
    from gammafind.pipeline.epoch_spans import checked_times

    if arguments.epochs and arguments.epoch:
        raise OptionError(
            "--epochs and --epoch are given",
            remedy="Give times of photon lists, or maps of each year.",
        )
    return checked_times(arguments.epochs) if arguments.epochs else arguments.epoch
