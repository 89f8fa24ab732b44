"""``gammafind evaluate``: how well a catalogue agrees with the truth."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from typing import Any

from gammafind.cli.arguments import (
    add_output_arguments,
    add_purity_arguments,
    add_radius_argument,
    add_truth_argument,
    command_line,
    parse_number,
    parse_path,
    parse_radius,
)

SUMMARY = "measure completeness and purity of a catalogue"
EXAMPLES = """\
  gammafind evaluate found.ecsv 4fgl-dr2 --radius 0.5deg
  gammafind evaluate found.ecsv sources.fits -o metrics.json --plots figures
  gammafind evaluate found.ecsv 4fgl-dr2 --min-flux 'Flux1000=1e-9 cm-2 s-1'

Where the truth has a column energy_flux, sources above 3.4e-13 and 1e-12 erg/cm2/s are
reported separately; where it has a column ts, the expected TS, TS50 is reported."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("catalogue", type=parse_path, metavar="CATALOGUE", help="what was found")
    add_truth_argument(parser)
    add_radius_argument(parser)
    parser.add_argument(
        "--min-score",
        type=parse_number,
        metavar="SCORE",
        help="lowest score that counts in the entry at_cut and for offsets (default: all)",
    )
    parser.add_argument(
        "--min-latitude",
        default="0deg",
        metavar="ANGLE",
        help="lowest Galactic latitude that counts, north and south (default: %(default)s)",
    )
    add_purity_arguments(parser)
    parser.add_argument(
        "-o", "--output", type=parse_path, metavar="FILE", help="JSON file (default: print it)"
    )
    parser.add_argument("--plots", type=parse_path, metavar="DIR", help="folder of figures")
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.evaluation.brightness import MinFlux
    from gammafind.pipeline.evaluate import evaluate
    from gammafind.pipeline.products import check_apart, check_folder
    from gammafind.units import parse_quantity
    from gammafind.utils.files import check_output
    from gammafind.utils.version import running_version

    if arguments.output:
        check_output(arguments.output, overwrite=arguments.overwrite)
    if arguments.plots:
        check_folder(arguments.plots, overwrite=arguments.overwrite)
    check_apart([arguments.output, arguments.plots], [arguments.catalogue, arguments.truth])
    metrics = evaluate(
        arguments.catalogue,
        arguments.truth,
        radius=parse_radius(arguments.radius),
        min_latitude=parse_quantity(arguments.min_latitude, "deg", name="--min-latitude"),
        min_score=arguments.min_score,
        purity=arguments.purity,
        min_fluxes=[MinFlux.parse(text) for text in arguments.min_flux],
    )
    made = {"creator": f"gammafind {running_version()}", "command": command_line(arguments)}
    _deliver({**made, **metrics}, arguments)


def _deliver(metrics: dict[str, Any], arguments: Namespace) -> None:
    """Write the figures and the JSON file, both or none, or print the JSON."""
    from gammafind.utils.files import atomic_output

    text = json.dumps(metrics, indent=2, allow_nan=False)
    with ExitStack() as pending:
        if arguments.output:
            output = atomic_output(arguments.output, arguments.overwrite)
            pending.enter_context(output).write_text(f"{text}\n", encoding="utf-8")
        if arguments.plots:
            from gammafind.pipeline.products import atomic_folder
            from gammafind.views.evaluation import write_figures

            folder = pending.enter_context(atomic_folder(arguments.plots, arguments.overwrite))
            write_figures(folder, metrics)
    if arguments.output is None:
        print(text)
    elif arguments.verbosity >= 0:
        for path in filter(None, (arguments.output, arguments.plots)):
            print(f"written: {path}")
