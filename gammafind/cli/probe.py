"""``gammafind probe``: flux, or its upper limit, at given places."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gammafind.cli.arguments import (
    add_caldb_argument,
    add_map_arguments,
    add_option_argument,
    add_output_arguments,
    add_preset_argument,
    add_seed_argument,
    add_sky_arguments,
    command_line,
    parse_number,
    parse_options,
    parse_path,
    sky_arguments,
    sky_files,
)
from gammafind.errors import OptionError

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable
    from astropy.units import UnitBase

SUMMARY = "measure or limit the flux at places where nothing was found"
EXAMPLES = """\
  gammafind probe counts.fits --at "194.05 -5.79" --at "12 15 00 +33 10 00"
  gammafind probe counts.fits --at "120.3 45 galactic" --catalogue found.ecsv
  gammafind probe ft1.fits --ft2 ft2.fits --positions blazars.fits -o limits.ecsv

The columns are name, position, TS and its probability, flux, its error and its upper limit at
95 %, and the nearest source. A place in a source of the model is the measurement of that source."""

_FRAMES = ("icrs", "fk5", "galactic")
_TEXTS = {"name": "s", "near": "s", "flag": "s", "ra": ".4f", "dec": ".4f", "separation": ".3f"}
"""Formats of columns on the screen; all others have three digits."""
_LEFT_OUT = ("glon", "glat", "npred")
"""Columns that the screen has no room for."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `run` needs."""
    add_map_arguments(parser, photons=True)
    places = parser.add_mutually_exclusive_group(required=True)
    places.add_argument(
        "--at",
        action="append",
        metavar='"RA DEC"',
        help="a position: degrees, or hours and degrees with minutes and seconds; with the word "
        "galactic after them, longitude and latitude; may be repeated",
    )
    places.add_argument(
        "--positions", metavar="TABLE", help="table with positions, or the name of a catalogue"
    )
    parser.add_argument(
        "--catalogue",
        metavar="CATALOGUE",
        help="sources of the sky, such as what detect found (default: search with likelihood)",
    )
    parser.add_argument(
        "--index",
        type=parse_number,
        default=2.3,
        metavar="INDEX",
        help="photon index of the sources (default: %(default)s)",
    )
    add_preset_argument(parser, "plugins")
    add_option_argument(parser, "ROLE.NAME", "option of a plugin, such as localiser.threshold=25")
    add_caldb_argument(parser)
    add_sky_arguments(parser)
    add_seed_argument(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=parse_path,
        metavar="TABLE",
        help="table; .ecsv, .fits, .vot or .csv says the format (default: print it)",
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.catalogue.io import write_table
    from gammafind.pipeline.probe import probe
    from gammafind.pipeline.products import Products

    tables = (arguments.output,) if arguments.output else ()
    products = Products(tables=tables, only_tables=True, overwrite=arguments.overwrite)
    products.check(inputs=[*sky_files(arguments), arguments.positions, arguments.catalogue])
    table = probe(
        **sky_arguments(arguments),
        places=arguments.positions or parse_places(arguments.at),
        catalogue=arguments.catalogue,
        index=arguments.index,
        preset=arguments.preset,
        options=parse_options(arguments.option),
        seed=arguments.seed,
        command=command_line(arguments),
    )
    if arguments.output is None:
        print(_shown(table))
        return
    write_table(table, arguments.output, overwrite=arguments.overwrite)
    if arguments.verbosity >= 0:
        print(f"written: {arguments.output}")


def parse_places(texts: list[str]) -> SkyCoord:
    """Read positions such as ``83.63 22.01``, ``05:34:32 +22:00:52`` or ``184.6 -5.8 galactic``.

    Raises
    ------
    OptionError
        If a text is no position.
    """
    from astropy.coordinates import SkyCoord, concatenate

    places = [_place(text) for text in texts]
    return places[0].reshape(1) if len(places) == 1 else SkyCoord(concatenate(places))


def _place(text: str) -> SkyCoord:
    from astropy.coordinates import SkyCoord

    from gammafind.catalogue.sexagesimal import angles_of_texts

    *words, last = text.replace(",", " ").split() or [""]
    frame = last.casefold() if last.casefold() in _FRAMES else "icrs"
    words += [] if last.casefold() in _FRAMES else [last]
    middle = len(words) // 2
    parts = " ".join(words[:middle]), " ".join(words[middle:])
    try:
        lon = angles_of_texts(parts[:1], hours=frame != "galactic")
        lat = angles_of_texts(parts[1:], hours=False)
        place = SkyCoord(lon[0], lat[0], unit="deg", frame=frame).icrs
    except ValueError as error:
        fault = str(error)
    else:
        near = abs(lon[0]) <= 360  # Also false where it is no number.
        if len(words) % 2 == 0 and near:
            return place
        fault = "two angles are needed" if near else "the first angle is beyond a circle"
    remedy = 'Write two angles, such as --at "83.63 22.01" or --at "05:34:32 +22:00:52".'
    raise OptionError(f"--at {text!r} is no position ({fault})", remedy=remedy)


def _shown(table: QTable) -> str:
    """Lines of the table, aligned."""
    from gammafind.evaluation.numbers import aligned

    names = [name for name in table.colnames if name not in _LEFT_OUT]
    units = [_unit(table[name].unit) for name in names]
    columns = [_cells(table, name) for name in names]
    heads = [f"{name}{unit}" for name, unit in zip(names, units, strict=True)]
    return aligned(heads, [list(row) for row in zip(*columns, strict=True)])


def _unit(unit: UnitBase | None) -> str:
    """Unit of a column in the heading."""
    from gammafind.units import FLUX

    return "" if unit is None else f" ({'cm-2 s-1' if unit == FLUX else unit})"


def _cells(table: QTable, name: str) -> list[str]:
    values = getattr(table[name], "value", table[name])
    texts = [format(value, _TEXTS.get(name, ".3g")) for value in values.tolist()]
    return ["-" if text == "nan" else text for text in texts]
