"""``gammafind compare``: every localiser on one sky, one table."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gammafind.cli.arguments import (
    add_map_arguments,
    add_option_argument,
    add_output_arguments,
    add_preset_argument,
    add_purity_arguments,
    add_seed_argument,
    add_truth_argument,
    command_line,
    parse_bands,
    parse_named_options,
    parse_path,
)

if TYPE_CHECKING:
    from gammafind.pipeline.compare import Comparison


SUMMARY = "run several localisers on one sky and compare what they find"
EXAMPLES = """\
  gammafind compare counts.fits 4fgl-dr2
  gammafind compare skies/catalogue-0000/counts*.fits skies/catalogue-0000/sources.fits \\
      --preset fermi-lat --localisers likelihood,photutils-peaks -o table.ecsv
  gammafind compare counts.fits sources.fits --localisers unet,likelihood \\
      --option unet.weights=trained/weights --option likelihood.threshold=9

Localisers that cannot run are left out, with the reason."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_map_arguments(parser, photons=False)
    add_truth_argument(parser)
    parser.add_argument(
        "--localisers", metavar="A,B,C", help="which (default: all that are installed)"
    )
    add_preset_argument(parser, "patches")
    what = "option of a localiser, such as likelihood.threshold=9"
    add_option_argument(parser, "LOCALISER.NAME", what)
    parser.add_argument(
        "--radius", metavar="ANGLE", help="match radius, with its unit (default: of the preset)"
    )
    add_purity_arguments(parser)
    add_seed_argument(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=parse_path,
        metavar="TABLE",
        help="the table with all columns; .ecsv, .fits, .vot or .csv says the format",
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.catalogue.io import write_table
    from gammafind.cli.printing import comparison_lines
    from gammafind.evaluation.brightness import MinFlux
    from gammafind.pipeline.compare import compare
    from gammafind.pipeline.products import Products
    from gammafind.units import parse_quantity

    outputs = (arguments.output,) if arguments.output else ()
    products = Products(tables=outputs, only_tables=True, overwrite=arguments.overwrite)
    products.check(inputs=[*arguments.maps, arguments.truth])
    radius = arguments.radius and parse_quantity(arguments.radius, "deg", name="--radius")
    done: Comparison = compare(
        arguments.maps,
        arguments.truth,
        localisers=_names(arguments.localisers),
        options=parse_named_options(arguments.option),
        preset=arguments.preset,
        bands=parse_bands(arguments.band),
        frame=arguments.frame,
        radius=radius,
        purity=arguments.purity,
        min_fluxes=[MinFlux.parse(text) for text in arguments.min_flux],
        seed=arguments.seed,
        command=command_line(arguments),
    )
    for path in outputs:
        write_table(done.table, path, overwrite=arguments.overwrite)
    if arguments.verbosity >= 0 or not outputs:
        print("\n".join([*comparison_lines(done), *(f"written: {path}" for path in outputs)]))


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
