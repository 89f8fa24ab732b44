"""``gammafind measure``: spectra, band fluxes and positions of the sources of a catalogue."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gammafind.cli.arguments import (
    REFERENCES,
    add_caldb_argument,
    add_map_arguments,
    add_option_argument,
    add_output_arguments,
    add_preset_argument,
    add_sky_arguments,
    command_line,
    parse_options,
    parse_path,
    sky_arguments,
    sky_files,
)
from gammafind.cli.epoch_arguments import add_epoch_argument, add_times_argument, chosen_epochs

if TYPE_CHECKING:
    from astropy.table import QTable

SUMMARY = "measure spectra, band fluxes and positions of the sources of a catalogue"
EXAMPLES = """\
  gammafind measure counts.fits --catalogue found.ecsv -o measured.fits
  gammafind measure counts.fits --catalogue 4fgl-dr2 --workers 2 -o measured.ecsv
  gammafind measure ft1.fits --ft2 ft2.fits --catalogue mine.csv -o measured.vot
  gammafind measure counts.fits --epoch year-1.fits --epoch year-2.fits ... --catalogue mine.csv \
      -o measured.fits

Groups of sources that are finished are kept in a folder next to the output, OUTPUT.parts, until all
are done: after an interruption the same command continues. gammafind detect measures what it finds
by itself."""

PARTS = ".parts"
"""Added to the name of the output: the folder of what is finished."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_map_arguments(parser, photons=True)
    parser.add_argument(
        "--catalogue", required=True, metavar="CATALOGUE", help=f"the sources: {REFERENCES}"
    )
    parser.add_argument(
        "--index",
        type=float,
        default=2.3,
        metavar="INDEX",
        help="photon index of all sources where there is one energy band (default: %(default)s)",
    )
    parser.add_argument(
        "--extended",
        metavar="CATALOGUE|none",
        help="sources known to be extended, as for gammafind detect",
    )
    add_times_argument(parser)
    add_epoch_argument(parser, "for light curves")
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="number of processes; the result is the same (default: %(default)s)",
    )
    add_preset_argument(parser, "plugins")
    add_option_argument(parser, "ROLE.NAME", "option of a plugin, such as renderer.year=1")
    add_caldb_argument(parser)
    add_sky_arguments(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=parse_path,
        required=True,
        metavar="TABLE",
        help="table; .ecsv, .fits, .vot or .csv says the format",
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.catalogue.io import write_table
    from gammafind.pipeline.groups import clear
    from gammafind.pipeline.measure import measure
    from gammafind.pipeline.products import Products

    output = arguments.output
    products = Products(tables=(output,), only_tables=True, overwrite=arguments.overwrite)
    epochs = [path for paths in arguments.epoch for path in paths]
    products.check(
        inputs=[*sky_files(arguments), *epochs, arguments.catalogue],
        named_after=[arguments.catalogue],
    )
    folder = output.with_name(f"{output.name}{PARTS}")
    try:
        table = measure(
            **sky_arguments(arguments),
            catalogue=arguments.catalogue,
            folder=folder,
            workers=arguments.workers,
            index=arguments.index,
            extended=arguments.extended,
            epochs=chosen_epochs(arguments),
            preset=arguments.preset,
            options=parse_options(arguments.option),
            overwrite=arguments.overwrite,
            command=command_line(arguments),
        )
    except KeyboardInterrupt:
        stays = f"what is finished stays in {folder}, and the same command continues"
        raise KeyboardInterrupt(stays) from None
    write_table(table, output, overwrite=arguments.overwrite)
    clear(folder)
    if arguments.verbosity >= 0:
        print(_numbers(table))
        print(f"written: {output}")


def _numbers(table: QTable) -> str:
    """How many sources were measured."""
    import numpy as np

    from gammafind.catalogue.flags import Flag, has_flag

    flags = np.asarray(table["Flags"])
    failed = np.count_nonzero(has_flag(flags, Flag.FIT_FAILED))
    nothing = np.count_nonzero(has_flag(flags, Flag.NOT_MEASURED))
    text = f"{len(table) - nothing} of {len(table)} sources are measured"
    return f"{text}, {failed} of them with a fit that failed" if failed else text
