"""``gammafind fetch``: official files, those at hand and those to download."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gammafind.cli.arguments import parse_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gammafind.pipeline.fetch import FetchedFile

SUMMARY = "check the official files that are at hand, and download others on request"
EXAMPLES = """\
  gammafind fetch
  gammafind fetch fermi-lat-p8r3
  gammafind fetch counts.fits
  gammafind fetch gll_iem_v07.fits --download
  gammafind fetch 4fgl-dr4 --download --folder catalogues

Nothing is downloaded without --download. The package works without these files: it
holds what it needs of them, in less detail."""

_HEADS = ("FILE", "STATE", "WHAT", "IN THE PACKAGE", "MB")
_FEW = 8
"""Addresses that are printed: those of all files would hide the table."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "wanted",
        nargs="*",
        metavar="NAME|FILE",
        help="official files, catalogues, presets, or files of counts or photons (default: all "
        "official files)",
    )
    parser.add_argument(
        "--download", action="store_true", help="download those that are not here, or damaged"
    )
    parser.add_argument(
        "--folder",
        type=parse_path,
        metavar="DIR",
        help="where they are and will be (default: $GAMMAFIND_DATA, or the data folder of the "
        "system)",
    )


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.errors import InputDataError
    from gammafind.pipeline.fetch import fetch

    found = fetch(arguments.wanted, download=arguments.download, folder=arguments.folder)
    print(_table(found))
    for line in _origins(found):
        print(line)
    damaged = [one for one in found if one.fault]
    if damaged:
        raise InputDataError(
            damaged[0].fault,
            path=damaged[0].path,
            remedy="Run the same command with --download to replace it.",
        )


def _table(found: Sequence[FetchedFile]) -> str:
    """Aligned lines, a heading first."""
    from gammafind.evaluation.numbers import aligned

    rows = [
        (one.name, one.state, one.what, one.embedded, f"{one.size / 1e6:.3g}" if one.size else "-")
        for one in found
    ]
    return aligned(_HEADS, rows, left=4)


def _origins(found: Sequence[FetchedFile]) -> list[str]:
    """Where files are, and where those that are not here come from."""
    from gammafind.utils.data_folder import data_folder

    here = [f"here: {one.path}" for one in found if one.present]
    absent = [one for one in found if not one.present]
    few = [f"from: {one.urls[0]}" for one in absent] if len(absent) <= _FEW else []
    looked = [f"looked in: {absent[0].path.parent}"] if absent else [f"folder: {data_folder()}"]
    return [*looked, *here, *few]
