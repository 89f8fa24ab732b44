"""``gammafind classify``: what the sources of a catalogue are."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import (
    REFERENCES,
    add_output_arguments,
    command_line,
    parse_number,
    parse_path,
)

SUMMARY = "estimate the classes of the sources of a catalogue like 4FGL"
EXAMPLES = """\
  gammafind classify gll_psc_v35.fit -o classes.fits
  gammafind classify fl16y -o classes.ecsv --abstain 0.8

CLASS1 is the finest level that is probable enough: BLL, FSRQ, PSR or OTHER (of the
Galaxy); BCU or GALACTIC; or UNK. The classes of the catalogue are kept as CLASS1_given."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("catalogue", metavar="CATALOGUE", help=f"measured sources: {REFERENCES}")
    parser.add_argument(
        "--classifier",
        default="features",
        metavar="NAME",
        help="what names the classes (default: %(default)s)",
    )
    parser.add_argument(
        "--abstain",
        type=parse_number,
        metavar="PROBABILITY",
        help="least probability of what is named (default: 0.9)",
    )
    parser.add_argument(
        "--weights", metavar="DIR", help="folder of a model that you trained (default: shipped)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=parse_path,
        required=True,
        metavar="TABLE",
        help="the catalogue with classes; .ecsv, .fits, .vot or .csv says the format",
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.catalogue.io import write_table
    from gammafind.pipeline.classify_catalogue import classify_catalogue
    from gammafind.pipeline.products import Products

    products = Products(tables=(arguments.output,), only_tables=True, overwrite=arguments.overwrite)
    products.check(inputs=[arguments.catalogue])
    given = {"abstain": arguments.abstain, "weights": arguments.weights}
    table = classify_catalogue(
        arguments.catalogue,
        classifier=arguments.classifier,
        options={name: value for name, value in given.items() if value is not None},
        command=command_line(arguments),
    )
    write_table(table, arguments.output, overwrite=arguments.overwrite)
    if arguments.verbosity >= 0:
        print("\n".join([*_lines(table), f"written: {arguments.output}"]))


def _lines(table: object) -> list[str]:
    """How many sources have each label, and how pure it is expected to be."""
    labels = table["CLASS1"].tolist()
    pure = table.meta["class_purity"]
    known = [f"{n:>9}: {labels.count(n):5d}, expected purity {p:.3f}" for n, p in pure.items()]
    return [*known, f"{'open':>9}: {len(labels) - sum(labels.count(n) for n in pure):5d}"]
