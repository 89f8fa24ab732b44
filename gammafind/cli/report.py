"""``gammafind report``: a page of figures from a catalogue and its maps."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import (
    add_map_arguments,
    add_output_arguments,
    add_radius_argument,
    add_reference_argument,
    parse_bands,
    parse_path,
    parse_radius,
)

SUMMARY = "show a catalogue on its maps: figures and a page"
EXAMPLES = """\
  gammafind report found.ecsv counts.fits -o page --reference 4fgl-dr2"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("catalogue", type=parse_path, metavar="CATALOGUE", help="what was found")
    add_map_arguments(parser, photons=False)
    add_reference_argument(parser, "compare")
    add_radius_argument(parser)
    parser.add_argument(
        "-o", "--output", type=parse_path, required=True, metavar="DIR", help="folder of the page"
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.report import report

    summary = report(
        arguments.catalogue,
        arguments.maps,
        arguments.output,
        bands=parse_bands(arguments.band),
        frame=arguments.frame,
        reference=arguments.reference,
        radius=parse_radius(arguments.radius),
        overwrite=arguments.overwrite,
    )
    if arguments.verbosity >= 0:
        print(summary.text())
        print(f"written: {arguments.output / 'index.html'}")
