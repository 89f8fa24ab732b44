"""``gammafind demo``: the main job on the real sky that comes with the package."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from gammafind.cli.arguments import (
    EMBEDDED_REFERENCE,
    add_output_arguments,
    add_plugin_arguments,
    chosen_plugins,
    command_line,
    parse_path,
)
from gammafind.cli.printing import print_result

if TYPE_CHECKING:
    from gammafind.pipeline.products import Products


SUMMARY = "find the sources of the real Fermi-LAT sky at 2-20 GeV"
EXAMPLES = """\
  gammafind demo
  gammafind demo -o first-look --localiser likelihood --option localiser.threshold=25

The network unet finds the sources. The likelihood search runs on the same sky for
comparison. Writes the catalogue (.ecsv, .fits, .vot), DS9 regions (.reg),
figures and index.html, and compares the detections with 4FGL-DR2."""

BESIDE = "likelihood"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "-o",
        "--output",
        type=parse_path,
        default=Path("gammafind-demo"),
        metavar="DIR",
        help="folder of the products (default: %(default)s)",
    )
    add_plugin_arguments(parser)
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.demo import DEMO_PRESET, demo_sky
    from gammafind.pipeline.detect import detect
    from gammafind.pipeline.products import atomic_folder, check_folder

    folder = check_folder(arguments.output, overwrite=arguments.overwrite)
    chosen = chosen_plugins(arguments)
    if not arguments.localiser:
        others = (name for name in arguments.beside if name != BESIDE)
        chosen["beside"] = [BESIDE, *others]
    result = detect(
        demo_sky(),
        preset=DEMO_PRESET,
        **chosen,
        reference=EMBEDDED_REFERENCE,
        command=command_line(arguments),
    )
    names = [one.preset.localiser.name for one in result.beside]
    with atomic_folder(folder, arguments.overwrite) as filled:
        _products(filled, names).write(result)
    if arguments.verbosity >= 0:
        written = ["catalogue.ecsv", *(f"{name}.ecsv" for name in names), "index.html"]
        print_result(result, [folder / name for name in written])


def _products(folder: Path, beside: list[str]) -> Products:
    """Products of the demo: those of the first localiser are named catalogue."""
    from gammafind.pipeline.products import Products

    others = tuple(
        Products(tables=(folder / f"{name}.ecsv",), regions=folder / f"{name}.reg")
        for name in beside
    )
    return Products.in_folder(folder, "catalogue", report=folder, overwrite=True, beside=others)
