"""``gammafind exposure``: spacecraft files in, exposure out."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import parse_path
from gammafind.cli.bin import add_epoch_arguments, epoch_arguments, written

SUMMARY = "compute the exposure from spacecraft files or a livetime cube"
EXAMPLES = """\
  gammafind exposure ft2.fits --good-times ft1.fits --preset fermi-lat-p8r3 -o exposure
  gammafind exposure 'spacecraft_*.fits' --good-times @lists.txt --energies 1 3 10 -o exposure
  gammafind exposure ltcube.fits --types FRONT BACK -o exposure
  gammafind exposure ft2.fits --epochs 2008-08-04 2009-08-04 2010-08-04 -o years

The files are in the format of gtexpcube2; detect --exposure takes them."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "pointing",
        nargs="+",
        type=parse_path,
        metavar="FILE",
        help="spacecraft files (FT2), patterns of names, or @FILE with a name a line; or one "
        "livetime cube (gtltcube) or exposure cube (gtexpcube2)",
    )
    add_epoch_arguments(parser, "folder of the files")


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.exposure import exposure

    done = exposure(arguments.pointing, **epoch_arguments(arguments))
    if arguments.verbosity >= 0:
        print("\n".join(written(done)))
