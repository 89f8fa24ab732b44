"""``gammafind inspect``: what files hold, and which preset fits them."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import (
    add_band_argument,
    add_caldb_argument,
    add_output_arguments,
    parse_bands,
    parse_options,
    parse_path,
)

SUMMARY = "show what files hold, and which preset fits them or is made from them"
EXAMPLES = """\
  gammafind inspect counts.fits
  gammafind inspect ft1.fits ft2.fits
  gammafind inspect ft1.fits exposure.fits --save-preset mine.toml"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "files",
        nargs="+",
        type=parse_path,
        metavar="FILE",
        help="count maps or photon lists, and their exposure, livetime or spacecraft files",
    )
    add_band_argument(parser)
    parser.set_defaults(option=[])
    add_caldb_argument(parser)
    parser.add_argument(
        "--save-preset",
        type=parse_path,
        metavar="FILE.toml",
        help="write the preset that would be used, to be changed and given as --preset",
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.errors import ConfigError
    from gammafind.pipeline.inspect import inspect
    from gammafind.presets.write import write_preset

    found = inspect(
        arguments.files,
        bands=parse_bands(arguments.band),
        options=parse_options(arguments.option).get("renderer", {}),
    )
    print(found)
    if arguments.save_preset is None:
        return
    if found.chosen is None:
        raise ConfigError("there is no preset to save", remedy=found.fault)
    path = write_preset(found.chosen, arguments.save_preset, overwrite=arguments.overwrite)
    print(f"written: {path}")
