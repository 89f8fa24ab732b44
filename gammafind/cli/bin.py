"""``gammafind bin``: photon lists in, count maps out."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from gammafind.cli.arguments import (
    add_caldb_argument,
    add_option_argument,
    add_output_arguments,
    add_preset_argument,
    command_line,
    parse_number,
    parse_options,
    parse_path,
)
from gammafind.errors import OptionError

if TYPE_CHECKING:
    from gammafind.pipeline.epoch_folders import EpochFiles

SUMMARY = "bin photon lists into count maps"
EXAMPLES = """\
  gammafind bin 'lat_photon_weekly_*.fits' --preset fermi-lat-p8r3 -o counts
  gammafind bin @lists.txt --energies 1 3 10 100 --nside 128 --max-zenith 90 -o counts
  gammafind bin ft1.fits --image region.fits --energies 0.5 1 2 --types FRONT BACK -o counts
  gammafind bin ft1.fits --epochs 2008-08-04 2009-08-04 2010-08-04 -o years

Photons that are in several lists count once. After an interruption the same command continues."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "photons",
        nargs="+",
        type=parse_path,
        metavar="FT1",
        help="photon lists, patterns of names, or @FILE with a name a line",
    )
    parser.add_argument(
        "--nside", nargs="+", type=int, metavar="N", help="HEALPix nside, one or one a band"
    )
    parser.add_argument(
        "--image", type=parse_path, metavar="FILE", help="image whose pixels are taken instead"
    )
    add_epoch_arguments(parser, "folder of the maps")


def add_epoch_arguments(parser: ArgumentParser, output: str) -> None:
    """Add the instrument, its bands and photons, the epochs, and the folder of all files."""
    add_preset_argument(parser, "event selection", default="fermi-lat")
    parser.add_argument(
        "--energies", nargs="+", type=parse_number, metavar="GEV", help="edges of the bands in GeV"
    )
    _add_photon_cuts(parser)
    parser.add_argument(
        "--epochs", nargs="+", metavar="DATE", help="dates between which the epochs lie, UTC"
    )
    what = "option of the renderer, such as renderer.irf=P8R3_SOURCE_V3"
    add_option_argument(parser, "renderer.NAME", what)
    add_caldb_argument(parser)
    parser.add_argument(
        "-o", "--output", type=parse_path, required=True, metavar="DIR", help=output
    )
    add_output_arguments(parser)


def _add_photon_cuts(parser: ArgumentParser) -> None:
    """Add event types, zenith cut and good time."""
    parser.add_argument(
        "--types",
        nargs="+",
        metavar="TYPE",
        help="event types; each is a channel of its own, those joined with + share one",
    )
    parser.add_argument(
        "--max-zenith",
        nargs="+",
        type=parse_number,
        metavar="DEG",
        help="largest zenith angle in degrees, one or one a band",
    )
    parser.add_argument(
        "--good-times",
        nargs="+",
        type=parse_path,
        metavar="FILE",
        help="files with good time intervals (GTI)",
    )


def epoch_arguments(arguments: Namespace) -> dict[str, Any]:
    """What `add_epoch_arguments` adds, as `gammafind.bin_events` and `gammafind.exposure` take it.

    Raises
    ------
    OptionError
        If there are options of another role than the renderer.
    """
    import astropy.units as u

    return {
        "output": arguments.output,
        "preset": arguments.preset,
        "energies": arguments.energies and arguments.energies * u.GeV,
        "max_zenith": arguments.max_zenith and arguments.max_zenith * u.deg,
        "good_times": arguments.good_times,
        "epochs": arguments.epochs,
        "options": _renderer_options(arguments),
        "overwrite": arguments.overwrite,
        "command": command_line(arguments),
    }


def _renderer_options(arguments: Namespace) -> dict[str, object]:
    """Options of the renderer from ``--option`` and ``--types``.

    Raises
    ------
    OptionError
        If there are options of another role.
    """
    options = parse_options(arguments.option)
    if set(options) - {"renderer"}:
        raise OptionError(
            f"--option of a {', '.join(set(options) - {'renderer'})}",
            remedy="Only options of the renderer are used here.",
        )
    types = {"event_types": arguments.types} if arguments.types else {}
    return {**options.get("renderer", {}), **types}


def written(done: EpochFiles) -> list[str]:
    """What is printed of folders of epochs."""
    n_there = len(done.folders) - done.n_made
    there = [f"{n_there} of {len(done.folders)} epochs were there already"] if n_there else []
    return there + [f"written: {shlex.quote(str(path))}" for path in done.files]


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.bin_events import bin_events

    try:
        done = bin_events(
            arguments.photons,
            nside=arguments.nside,
            image=arguments.image,
            **epoch_arguments(arguments),
        )
    except KeyboardInterrupt:
        stays = "complete epochs stay, and the same command continues"
        raise KeyboardInterrupt(stays) from None
    if arguments.verbosity >= 0:
        print("\n".join(written(done)))
