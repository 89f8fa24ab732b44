"""``gammafind inspect``: what files hold, and which preset fits them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import parse_path

SUMMARY = "show what files hold and which preset fits them"
EXAMPLES = """\
  gammafind inspect counts.fits
  gammafind inspect ft1.fits other.fits"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "files", nargs="+", type=parse_path, metavar="FILE", help="count maps or photon lists"
    )


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.inspect import inspect

    print(inspect(arguments.files))
