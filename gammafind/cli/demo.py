"""``gammafind demo``: the main job on the real sky that comes with the package."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from gammafind.cli.arguments import (
    EMBEDDED_REFERENCE,
    add_output_arguments,
    add_plugin_arguments,
    command_line,
    parse_options,
    read_reference,
)
from gammafind.cli.printing import print_result

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "find the sources of the real Fermi-LAT sky at 2-20 GeV"
EXAMPLES = """\
  gammafind demo
  gammafind demo -o first-look --option localiser.threshold=25

Writes the catalogue (.ecsv, .fits, .vot), DS9 regions (.reg), figures and
index.html, and compares the detections with 4FGL-DR2."""

PRESET = "fermi-lat-psf3-2-20"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("gammafind-demo"),
        metavar="DIR",
        help="folder of the products (default: %(default)s)",
    )
    add_plugin_arguments(parser)
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.choice import with_plugins
    from gammafind.config import load_preset
    from gammafind.pipeline import detect
    from gammafind.plugins.fermi_lat.embedded import demo_counts_path
    from gammafind.products import Products, atomic_folder, check_folder

    folder = check_folder(arguments.output, overwrite=arguments.overwrite)
    preset = with_plugins(
        load_preset(PRESET),
        {"localiser": arguments.localiser, "clusterer": arguments.clusterer},
        parse_options(arguments.option),
    )
    result = detect(
        [demo_counts_path()],
        preset=preset,
        reference=read_reference(EMBEDDED_REFERENCE),
        command=command_line(arguments),
    )
    with atomic_folder(folder, arguments.overwrite) as filled:
        Products(
            tables=tuple(filled / f"catalogue.{suffix}" for suffix in ("ecsv", "fits", "vot")),
            regions=filled / "catalogue.reg",
            report=filled,
            overwrite=True,
        ).write(result)
    if arguments.verbosity >= 0:
        print_result(result, [folder / "catalogue.ecsv", folder / "index.html"])
