"""``gammafind diff``: what differs between two catalogues."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gammafind.cli.arguments import (
    REFERENCES,
    add_output_arguments,
    command_line,
    parse_number,
    parse_path,
    parse_radius,
)

if TYPE_CHECKING:
    from gammafind.pipeline.diff import Difference

SUMMARY = "list what is new, gone, moved or changed between two catalogues"
EXAMPLES = """\
  gammafind diff last_year.ecsv this_year.ecsv
  gammafind diff last_year.ecsv this_year.ecsv -o changes.ecsv --carry-names named.ecsv
  gammafind diff 4fgl-dr3 4fgl-dr4 --sigma 4"""

_SHOWN = 20
"""Sources of each status that are printed."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("old", metavar="OLD", help=f"the catalogue before: {REFERENCES}")
    parser.add_argument("new", metavar="NEW", help="the catalogue now")
    parser.add_argument(
        "--radius",
        metavar="ANGLE",
        help="largest separation of a pair, with its unit (default: twice the 95 %% errors)",
    )
    parser.add_argument(
        "--sigma",
        type=parse_number,
        default=3.0,
        metavar="N",
        help="change of a flux, in errors, that counts (default: %(default)s)",
    )
    parser.add_argument(
        "-o", "--output", type=parse_path, metavar="FILE", help="table of all differences"
    )
    parser.add_argument(
        "--carry-names",
        type=parse_path,
        metavar="FILE",
        help="write NEW with the names that its sources had in OLD",
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from contextlib import ExitStack

    from gammafind.catalogue.io import write_table
    from gammafind.pipeline.diff import diff
    from gammafind.pipeline.products import Products
    from gammafind.utils.files import atomic_output

    outputs = [path for path in (arguments.output, arguments.carry_names) if path is not None]
    products = Products(tables=tuple(outputs), only_tables=True, overwrite=arguments.overwrite)
    products.check(inputs=[arguments.old, arguments.new])
    found = diff(
        arguments.old,
        arguments.new,
        radius=parse_radius(arguments.radius),
        n_sigma=arguments.sigma,
        command=command_line(arguments),
    )
    tables = {arguments.output: found.table, arguments.carry_names: found.catalogue}
    with ExitStack() as pending:
        for path in outputs:
            temporary = pending.enter_context(atomic_output(path, arguments.overwrite))
            write_table(tables[path], temporary)
    if arguments.verbosity >= 0:
        _print(found)
        for path in outputs:
            print(f"written: {path}")


def _print(found: Difference) -> None:
    """Print the numbers, and the first sources of each status."""
    table = found.table
    for status, number in found.counts.items():
        print(f"{status}: {number}")
        if status == "same" or not number:
            continue
        rows = table[table["Status"] == status]
        for row in rows[:_SHOWN]:
            names = [name for name in (str(row["Name_Old"]), str(row["Name_New"])) if name]
            apart = row["Separation"].to_value("deg")
            known = f", {apart:.3f} deg apart" if apart == apart else ""
            change = row["Flux_Sigma"]
            flux = f", flux {change:+.1f} sigma" if change == change else ""
            print(f"  {' -> '.join(dict.fromkeys(names))}{known}{flux}")
        if number > _SHOWN:
            print(f"  ... and {number - _SHOWN} more")
