"""``gammafind demo``: the main job on the real sky that comes with the package."""

from __future__ import annotations

import logging
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from gammafind.cli.arguments import (
    EMBEDDED_REFERENCE,
    add_output_arguments,
    add_plugin_arguments,
    choose_plugins,
    command_line,
    parse_path,
    read_reference,
)
from gammafind.cli.printing import print_result

if TYPE_CHECKING:
    from gammafind.pipeline.products import Products
    from gammafind.presets.preset import Preset

__all__ = ["EXAMPLES", "SUMMARY", "add_arguments", "run"]

SUMMARY = "find the sources of the real Fermi-LAT sky at 2-20 GeV"
EXAMPLES = """\
  gammafind demo
  gammafind demo -o first-look --localiser likelihood --option localiser.threshold=25

The network unet finds the sources, and the likelihood search, beside it, says how
the two compare. Writes the catalogue (.ecsv, .fits, .vot), DS9 regions (.reg),
figures and index.html, and compares the detections with 4FGL-DR2."""

PRESET = "fermi-lat-psf3-2-20"
LOCALISER = "unet"
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
    from gammafind.pipeline.detect import detect
    from gammafind.pipeline.products import atomic_folder, check_folder
    from gammafind.plugins.fermi_lat.embedded import demo_counts_path

    folder = check_folder(arguments.output, overwrite=arguments.overwrite)
    preset, beside = _chosen(arguments)
    result = detect(
        [demo_counts_path()],
        preset=preset,
        beside=beside,
        reference=read_reference(EMBEDDED_REFERENCE),
        command=command_line(arguments),
    )
    names = [one.localiser.name for one in beside]
    with atomic_folder(folder, arguments.overwrite) as filled:
        _products(filled, names).write(result)
    if arguments.verbosity >= 0:
        written = ["catalogue.ecsv", *(f"{name}.ecsv" for name in names), "index.html"]
        print_result(result, [folder / name for name in written])


def _chosen(arguments: Namespace) -> tuple[Preset, tuple[Preset, ...]]:
    """Preset of the first localiser and of those beside it.

    Who names no localiser gets the network and the likelihood beside it, or the likelihood
    alone where no network comes for this sky and none is given by an option.
    """
    from gammafind.presets.preset import load_preset

    preset = load_preset(PRESET)
    if arguments.localiser:
        return choose_plugins(preset, arguments)
    others = [name for name in arguments.beside if name != BESIDE]
    first, beside = choose_plugins(preset, arguments, localiser=LOCALISER, beside=[BESIDE, *others])
    lack = "" if first.localiser.options else _lack_of_weights(first)
    if not lack:
        return first, beside
    logging.getLogger("gammafind").info("%s: the localiser %s searches alone", lack, BESIDE)
    return choose_plugins(preset, arguments, localiser=BESIDE, beside=others)


def _lack_of_weights(preset: Preset) -> str:
    """Why the network cannot search the patches of a preset; empty where its weights come along."""
    import numpy as np

    from gammafind.errors import WeightsError
    from gammafind.plugins.unet.localiser import UNet
    from gammafind.plugins.unet.shipped import shipped_folder
    from gammafind.sky.patches import Patches, PatchGrid

    bands, layout = preset.bands, preset.patches
    none = tuple(np.zeros((0, width, width)) for width in layout.widths(len(bands)))
    grid = PatchGrid.healpix(layout.nside, size=layout.size)[:0]
    try:
        shipped_folder(UNet.network, Patches(grid=grid, bands=bands, counts=none))
    except WeightsError as error:
        return error.fault
    return ""


def _products(folder: Path, beside: list[str]) -> Products:
    """Products of the demo: those of the first localiser are named catalogue."""
    from gammafind.pipeline.products import Products

    return Products(
        tables=tuple(folder / f"catalogue.{suffix}" for suffix in ("ecsv", "fits", "vot")),
        regions=folder / "catalogue.reg",
        report=folder,
        overwrite=True,
        beside=tuple(
            Products(tables=(folder / f"{name}.ecsv",), regions=folder / f"{name}.reg")
            for name in beside
        ),
    )
