"""``gammafind simulate``: skies with known sources."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from gammafind.cli.arguments import (
    EMBEDDED_REFERENCE,
    add_option_argument,
    add_output_arguments,
    add_preset_argument,
    add_seed_argument,
    command_line,
    parse_options,
    parse_path,
)
from gammafind.errors import OptionError

if TYPE_CHECKING:
    from gammafind.pipeline.simulate import Simulated


SUMMARY = "make skies with known sources"
EXAMPLES = """\
  gammafind simulate -o skies
  gammafind simulate --preset fermi-lat-psf3-2-20 --catalogues 10 --workers 2 -o skies
  gammafind simulate --sources mine.ecsv --seed 3 -o mine
  gammafind simulate --sources 4fgl-dr2 --maps -o expected

Each catalogue gets a folder, DIR/catalogue-0000 and so on. It appears when it is
whole: after an interruption the same command continues."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_preset_argument(parser, "population", default="fermi-lat")
    _add_sources(parser)
    add_seed_argument(parser, "of the whole set")
    parser.add_argument(
        "--catalogues", type=int, default=1, metavar="K", help="how many (default: 1)"
    )
    parser.add_argument(
        "--first", type=int, default=0, metavar="I", help="index of the first (default: 0)"
    )
    parser.add_argument(
        "--maps",
        action="store_true",
        help="write the expected counts of each class and background, band and year too: "
        "7 GB a catalogue with the preset fermi-lat",
    )
    parser.add_argument(
        "--epochs",
        action="store_true",
        help="write the counts of each year apart too, as detect --epoch takes them",
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="number of processes (default: 1)"
    )
    parser.add_argument(
        "--format",
        choices=("fits", "ecsv"),
        default="fits",
        help="of the table of sources (default: fits)",
    )
    parser.add_argument(
        "-o", "--output", type=parse_path, required=True, metavar="DIR", help="folder of the set"
    )
    add_output_arguments(parser)


def _add_sources(parser: ArgumentParser) -> None:
    origin = parser.add_mutually_exclusive_group()
    origin.add_argument(
        "--population", metavar="NAME", help="what draws the sources; that of the preset by default"
    )
    origin.add_argument(
        "--sources",
        metavar="TABLE",
        help=f"take these sources instead: a table, a 4FGL catalogue file, or {EMBEDDED_REFERENCE}",
    )
    what = "option of the population or the renderer, such as population.flux_min=1e-12"
    add_option_argument(parser, "ROLE.NAME", what)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.simulate import simulate
    from gammafind.presets.choose import with_plugins
    from gammafind.presets.preset import load_preset

    options = parse_options(arguments.option)
    if arguments.sources is not None and "population" in options:
        raise OptionError(
            "options of the population together with --sources, which takes its place",
            remedy="Leave out either --sources or --option population....",
        )
    preset = with_plugins(
        load_preset(arguments.preset), {"population": arguments.population}, options
    )
    try:
        done = simulate(
            preset,
            output=arguments.output,
            sources=arguments.sources,
            seed=arguments.seed,
            catalogues=arguments.catalogues,
            first=arguments.first,
            maps=arguments.maps,
            epochs=arguments.epochs,
            workers=arguments.workers,
            table_format=arguments.format,
            overwrite=arguments.overwrite,
            command=command_line(arguments),
        )
    except KeyboardInterrupt:
        stays = "complete catalogues stay, and the same command continues"
        raise KeyboardInterrupt(stays) from None
    if arguments.verbosity >= 0:
        print("\n".join([*_summary(done), *_next(done, arguments)]))


def _summary(done: Simulated) -> list[str]:
    n_there = len(done.folders) - len(done.made)
    there = "was" if n_there == 1 else "were"
    lines = [f"{_number(n_there, 'catalogue')} {there} there already"] if n_there else []
    if done.made:
        n_sources = sum(one.n_sources for one in done.made)
        n_counts = sum(one.n_counts for one in done.made)
        lines.append(
            f"{_number(len(done.made), 'catalogue')} made in {done.seconds:.0f} s: "
            f"{_number(n_sources, 'source')}, {_number(n_counts, 'count')}"
        )
    names = [folder.name for folder in done.folders]
    last = f" to {names[-1]}" if len(names) > 1 else ""
    return [*lines, f"written: {done.folders[0]}{last}"]


def _next(done: Simulated, arguments: Namespace) -> list[str]:
    """Commands that search for the sources, and measure how many were found."""
    from gammafind.roles.registry import get_plugin

    folder = done.folders[0]
    renderer = get_plugin("renderer", done.preset.renderer.name)
    counts = f"{shlex.quote(str(folder))}/{renderer.map_files}"
    truth = shlex.quote(str(folder / f"sources.{arguments.format}"))
    chosen = ["--preset", arguments.preset]
    for option in arguments.option:
        if option.startswith("renderer."):
            chosen += ["--option", option]
    return [
        "next:",
        f"  gammafind detect {counts} {shlex.join(chosen)} -o found.ecsv",
        f"  gammafind evaluate found.ecsv {truth} --radius '{done.preset.match_radius:g}'",
    ]


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
