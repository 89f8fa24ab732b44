"""``gammafind associate``: the counterparts of sources in other catalogues."""

from __future__ import annotations

from argparse import Action, ArgumentError, ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from gammafind.cli.arguments import (
    REFERENCES,
    add_output_arguments,
    command_line,
    parse_number,
    parse_path,
)

if TYPE_CHECKING:
    from gammafind.pipeline.associate import Association
    from gammafind.pipeline.counterparts import Counterparts

SUMMARY = "find the counterparts of sources in other catalogues, with their probabilities"
EXAMPLES = """\
  gammafind associate found.ecsv --with 5BZCAT.csv -o associated.ecsv
  gammafind associate found.ecsv --with 5BZCAT.csv --class-column 'Source classification' \\
      --with pulsars.txt --class psr --prior 0.1 --with radio.fits --class bcu -o associated.fits
  gammafind associate found.ecsv --with fl16y --one-to-one -o associated.ecsv
  gammafind associate found.ecsv --with 4fgl-dr4 --as ASSOC_FGL --with 3fhl --as ASSOC_FHL \
      --with 5BZCAT.csv -o associated.fits

--class, --prior and the other options of a catalogue of counterparts hold for the --with before
them. The first catalogue that lists an object names it."""


class _Of(Action):
    """Sets an option of the catalogue that was named last."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option: Any = None
    ) -> None:
        if not namespace.counterparts:
            raise ArgumentError(self, "stands before the first --with")
        namespace.counterparts[-1][self.dest] = values


class _With(Action):
    """Adds a catalogue of counterparts."""

    def __call__(
        self, parser: ArgumentParser, namespace: Namespace, values: Any, option: Any = None
    ) -> None:
        namespace.counterparts = [*namespace.counterparts, {"table": values}]


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("catalogue", metavar="CATALOGUE", help=f"the sources: {REFERENCES}")
    parser.add_argument(
        "--with",
        dest="counterparts",
        action=_With,
        default=[],
        metavar="TABLE",
        help="catalogue of possible counterparts; may be repeated",
    )
    _add_options_of_counterparts(parser)
    parser.add_argument(
        "--error",
        metavar="ANGLE",
        help="95 %% error radius of sources of CATALOGUE that have none",
    )
    parser.add_argument(
        "--threshold",
        type=parse_number,
        default=0.8,
        metavar="P",
        help="lowest probability of an association (default: %(default)s)",
    )
    parser.add_argument(
        "--one-to-one",
        action="store_true",
        help="each object is the counterpart of one source at most",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=parse_path,
        required=True,
        metavar="FILE",
        help="the catalogue with its counterparts; .ecsv, .fits, .vot or .csv says the format",
    )
    parser.add_argument(
        "--candidates",
        type=parse_path,
        metavar="FILE",
        help="table of all candidate pairs (default: FILE-candidates next to the output)",
    )
    add_output_arguments(parser)


def _add_options_of_counterparts(parser: ArgumentParser) -> None:
    options = {
        "--class": ("class_label", "CLASS", "class of all entries of the --with before it"),
        "--class-column": ("class_column", "COLUMN", "column of their classes"),
        "--name-column": ("name_column", "COLUMN", "column of their names"),
        "--error-column": ("error_column", "COLUMN", "column of their 95 %% error radii"),
        "--counterpart-error": ("error", "ANGLE", "95 %% error radius of entries that have none"),
        "--label": ("label", "NAME", "name of the catalogue"),
        "--as": (
            "column",
            "COLUMN",
            "the catalogue is one of gamma rays, whose names of the same sources this column gets: "
            "ASSOC_FGL, ASSOC_FHL, ASSOC_GAM1 to ASSOC_GAM3 or ASSOC_TEV",
        ),
    }
    group = parser.add_argument_group("options of the catalogue of counterparts before them")
    for option, (name, shown, text) in options.items():
        group.add_argument(option, dest=name, action=_Of, metavar=shown, help=text)
    group.add_argument(
        "--prior",
        dest="prior",
        action=_Of,
        type=parse_number,
        metavar="P",
        help="probability that a source has its counterpart there (default: fitted)",
    )


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.associate import associate, check_outputs, output_paths
    from gammafind.units import parse_quantity

    paths = output_paths(arguments.output, arguments.candidates)
    inputs = [arguments.catalogue, *(one["table"] for one in arguments.counterparts)]
    check_outputs(paths, overwrite=arguments.overwrite, inputs=inputs)
    error = arguments.error
    found = associate(
        arguments.catalogue,
        *map(_counterparts, arguments.counterparts),
        threshold=arguments.threshold,
        one_to_one=arguments.one_to_one,
        error=None if error is None else parse_quantity(error, "deg", name="--error"),
        command=command_line(arguments),
    )
    found.write(paths[0], candidates=paths[1], overwrite=arguments.overwrite)
    if arguments.verbosity >= 0:
        _print(found)
        for path in paths:
            print(f"written: {path}")


def _counterparts(options: dict[str, Any]) -> Counterparts:
    from gammafind.pipeline.counterparts import Counterparts
    from gammafind.units import parse_quantity

    error = options.pop("error", None)
    if error is not None:
        options["error"] = parse_quantity(error, "deg", name="--counterpart-error")
    return Counterparts(**options)


def _print(found: Association) -> None:
    """Print the numbers of each catalogue."""
    from gammafind.evaluation.numbers import aligned

    heads = ("catalogue", "entries", "associated", "false", "by chance", "measured")
    rows = [
        (
            str(row["Catalogue"]),
            str(row["N_Counterparts"]),
            str(row["N_Associations"]),
            f"{row['N_False_Stated']:.1f}",
            f"{row['N_Chance_Stated']:.1f}",
            f"{row['N_Chance_Measured']:.1f} +- {row['Unc_N_Chance_Measured']:.1f}",
        )
        for row in found.rates
    ]
    print(aligned(heads, rows))
    total = int(found.rates["N_Associations"].sum())
    print(f"{total} of {len(found.catalogue)} sources are associated")
