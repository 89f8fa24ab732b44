"""``gammafind demo``: the main job on a real sky that comes with the package."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from gammafind.cli.arguments import (
    add_output_arguments,
    add_plugin_arguments,
    chosen_plugins,
    command_line,
    parse_path,
)
from gammafind.cli.printing import print_result

if TYPE_CHECKING:
    from gammafind.pipeline.products import Products


SUMMARY = "find the sources of a real Fermi-LAT sky that comes with the package"
EXAMPLES = """\
  gammafind demo
  gammafind demo --sky 10-2000GeV
  gammafind demo -o first-look --localiser likelihood --option localiser.threshold=25

At 2-20 GeV the network unet finds the sources, and the likelihood search runs on
the same sky for comparison; the detections are compared with 4FGL-DR2. Above
10 GeV the likelihood search finds the sources, in three bands, which are compared
with 3FHL; that takes minutes and 4 GB of memory. Writes the catalogue (.ecsv,
.fits, .vot), DS9 regions (.reg), figures and index.html."""

SKIES = ("2-20GeV", "10-2000GeV")
"""Those of `gammafind.pipeline.demo.DEMO_SKIES`, without an import of the pipeline."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "--sky",
        choices=SKIES,
        default=SKIES[0],
        help="energies of the photons (default: %(default)s)",
    )
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
    from gammafind.pipeline.demo import DEMO_SKIES, demo_sky
    from gammafind.pipeline.detect import detect
    from gammafind.pipeline.products import atomic_folder, check_folder

    folder = check_folder(arguments.output, overwrite=arguments.overwrite)
    sky, chosen = DEMO_SKIES[arguments.sky], chosen_plugins(arguments)
    if not arguments.localiser:
        others = (name for name in arguments.beside if name not in sky.beside)
        chosen["beside"] = [*sky.beside, *others]
    result = detect(
        demo_sky(sky=arguments.sky),
        preset=sky.preset,
        **chosen,
        reference=sky.reference,
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
