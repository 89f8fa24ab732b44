"""``gammafind report``: a page of figures from a catalogue and its maps."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import (
    EMBEDDED_REFERENCE,
    add_map_arguments,
    add_output_arguments,
    add_radius_argument,
    parse_bands,
    parse_path,
    parse_radius,
    read_reference,
)

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "show a catalogue on its maps: figures and a page"
EXAMPLES = """\
  gammafind report found.ecsv counts.fits -o page --reference 4fgl-dr2"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("catalogue", type=parse_path, metavar="CATALOGUE", help="what was found")
    add_map_arguments(parser, photons=False)
    parser.add_argument(
        "--reference",
        metavar="CATALOGUE",
        help=f"catalogue to compare with: a table, or {EMBEDDED_REFERENCE}",
    )
    add_radius_argument(parser)
    parser.add_argument(
        "-o", "--output", type=parse_path, required=True, metavar="DIR", help="folder of the page"
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.catalogue.io import read_table
    from gammafind.catalogue.schema import SHARED
    from gammafind.evaluation.against import summarise
    from gammafind.pipeline.products import atomic_folder, check_folder
    from gammafind.sky.fits import read_counts
    from gammafind.views.write import write_report

    check_folder(arguments.output, overwrite=arguments.overwrite)
    catalogue = read_table(arguments.catalogue, schema=SHARED)
    radius = parse_radius(arguments.radius, catalogue)
    counts = read_counts(arguments.maps, bands=parse_bands(arguments.band), frame=arguments.frame)
    reference = read_reference(arguments.reference)
    summary = summarise(catalogue, reference, radius=radius, counts=counts)
    with atomic_folder(arguments.output, arguments.overwrite) as folder:
        write_report(
            folder,
            catalogue,
            counts,
            reference=reference,
            summary=summary,
            provenance=catalogue.meta,
        )
    if arguments.verbosity >= 0:
        print(summary.text())
        print(f"written: {arguments.output / 'index.html'}")
