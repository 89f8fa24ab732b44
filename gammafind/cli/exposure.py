"""``gammafind exposure``: spacecraft files in, exposure out."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import (
    add_caldb_argument,
    add_option_argument,
    add_output_arguments,
    add_preset_argument,
    command_line,
    parse_path,
)
from gammafind.cli.bin import add_epochs, add_photon_cuts, renderer_options, written

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
    add_preset_argument(parser, "event selection", default="fermi-lat")
    parser.add_argument(
        "--energies", nargs="+", type=float, metavar="GEV", help="edges of the bands in GeV"
    )
    add_photon_cuts(parser)
    add_epochs(parser)
    what = "option of the renderer, such as renderer.irf=P8R3_SOURCE_V3"
    add_option_argument(parser, "renderer.NAME", what)
    add_caldb_argument(parser)
    parser.add_argument(
        "-o", "--output", type=parse_path, required=True, metavar="DIR", help="folder of the files"
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    import astropy.units as u

    from gammafind.pipeline.exposure import exposure

    done = exposure(
        arguments.pointing,
        output=arguments.output,
        preset=arguments.preset,
        energies=arguments.energies and arguments.energies * u.GeV,
        good_times=arguments.good_times,
        max_zenith=arguments.max_zenith and arguments.max_zenith * u.deg,
        epochs=arguments.epochs,
        options=renderer_options(arguments),
        overwrite=arguments.overwrite,
        command=command_line(arguments),
    )
    if arguments.verbosity >= 0:
        print("\n".join(written(done)))
