"""``gammafind evaluate``: how well a catalogue agrees with the truth."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gammafind.cli.arguments import (
    EMBEDDED_REFERENCE,
    add_output_arguments,
    add_radius_argument,
    command_line,
    parse_radius,
    read_reference,
)
from gammafind.errors import OptionError

if TYPE_CHECKING:
    import numpy as np
    from astropy.table import QTable

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "measure completeness and purity of a catalogue"
EXAMPLES = """\
  gammafind evaluate found.ecsv 4fgl-dr2 --radius 0.5deg
  gammafind evaluate found.ecsv truth.fits --min-latitude 20deg -o metrics.json"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("catalogue", type=Path, metavar="CATALOGUE", help="what was found")
    parser.add_argument(
        "truth", metavar="TRUTH", help=f"what is there: a table, or {EMBEDDED_REFERENCE}"
    )
    add_radius_argument(parser)
    parser.add_argument(
        "--min-score",
        type=float,
        default=float("-inf"),
        metavar="SCORE",
        help="lowest score that counts (default: all)",
    )
    parser.add_argument(
        "--min-latitude",
        default="0deg",
        metavar="ANGLE",
        help="lowest Galactic latitude that counts, north and south (default: %(default)s)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="JSON file (default: print it)"
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    import numpy as np

    from gammafind import __version__
    from gammafind.catalogue.io import read_table
    from gammafind.evaluation.summary import summarise
    from gammafind.files import check_output
    from gammafind.units import parse_quantity

    if arguments.output:
        check_output(arguments.output, overwrite=arguments.overwrite)
    latitude = parse_quantity(arguments.min_latitude, "deg", name="--min-latitude")
    if not 0 <= latitude.value < 90:
        raise OptionError(f"--min-latitude is {latitude}", remedy="Accepted is 0 to 90 deg.")
    catalogue = read_table(arguments.catalogue)
    radius = parse_radius(arguments.radius, catalogue)
    truth = read_reference(arguments.truth)
    metrics = summarise(
        catalogue,
        truth,
        rng=np.random.default_rng(0),
        radius=radius,
        counted=_off_plane(catalogue, latitude.value),
        selected=_off_plane(truth, latitude.value),
        score="Score" if "Score" in catalogue.colnames else "score",
        error="Conf_68_SemiMajor" if "Score" in catalogue.colnames else "pos_err",
        cut=arguments.min_score,
    )
    made = {
        "creator": f"gammafind {__version__}",
        "command": command_line(arguments),
        "radius": str(radius),
        "min_latitude": str(latitude),
    }
    _deliver({**made, **metrics}, arguments)


def _off_plane(table: QTable, latitude: float) -> np.ndarray:
    """Rows at least ``latitude`` degrees off the Galactic plane."""
    import numpy as np

    from gammafind.catalogue.positions import sky_positions

    return np.abs(sky_positions(table).galactic.b.deg) >= latitude


def _deliver(metrics: dict[str, Any], arguments: Namespace) -> None:
    from gammafind.files import atomic_output

    text = json.dumps(metrics, indent=2)
    if arguments.output is None:
        print(text)
        return
    with atomic_output(arguments.output, arguments.overwrite) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")
    if arguments.verbosity >= 0:
        print(f"written: {arguments.output}")
