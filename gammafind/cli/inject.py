"""``gammafind inject``: how complete a catalogue is, from sources that are added to its counts."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import (
    add_caldb_argument,
    add_localiser_arguments,
    add_map_arguments,
    add_option_argument,
    add_output_arguments,
    add_preset_argument,
    add_radius_argument,
    add_seed_argument,
    add_sky_arguments,
    command_line,
    parse_number,
    parse_options,
    parse_path,
    parse_radius,
    sky_arguments,
)
from gammafind.errors import OptionError

SUMMARY = "measure the completeness of a catalogue with injected sources"
EXAMPLES = """\
  gammafind inject counts.fits --rounds 20 -o injected
  gammafind inject counts.fits --localiser likelihood --min-score 25 --rounds 20 -o injected
  gammafind inject counts.fits --flux '1e-11 cm-2 s-1' '1e-9 cm-2 s-1' --index 2.2 -o injected
  gammafind inject ft1.fits --ft2 ft2.fits --places places.ecsv -o injected

The folder gets injected.ecsv, one row an injected source, and completeness.ecsv, the share that
was found in bins of flux, |b| and index. Each round is a search with other sources, and appears
when it is whole: after an interruption the same command continues, with a larger --rounds it adds
to those that are there."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_map_arguments(parser, photons=True)
    add_preset_argument(parser, "plugins")
    add_localiser_arguments(parser)
    add_option_argument(parser, "ROLE.NAME", "option of a plugin, such as localiser.threshold=25")
    add_caldb_argument(parser)
    add_sky_arguments(parser)
    _add_injected(parser)
    add_radius_argument(parser)
    parser.add_argument(
        "--min-score",
        type=parse_number,
        metavar="SCORE",
        help="lowest score of what is found (default: as for detect)",
    )
    add_seed_argument(parser)
    parser.add_argument(
        "-o", "--output", type=parse_path, required=True, metavar="DIR", help="folder of the tables"
    )
    add_output_arguments(parser)


def _add_injected(parser: ArgumentParser) -> None:
    """Add what is injected."""
    parser.add_argument(
        "--rounds", type=int, default=1, metavar="K", help="number of searches (default: 1)"
    )
    parser.add_argument(
        "--number",
        type=int,
        metavar="N",
        help="most sources of a round (default: 500, or as many as have room)",
    )
    parser.add_argument(
        "--flux",
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="lowest and highest flux in all bands together, with units (default: around the "
        "sensitivity)",
    )
    parser.add_argument(
        "--index",
        nargs="+",
        type=parse_number,
        metavar="INDEX",
        help="photon indices, each as likely as the others (default: 1.8 2.3 2.8)",
    )
    parser.add_argument(
        "--places",
        metavar="TABLE",
        help="draw places, and fluxes and indices where it has them, from this table (default: "
        "uniform on the sky that is searched)",
    )
    parser.add_argument(
        "--separation",
        type=parse_number,
        metavar="X",
        help="least distance of the sources of a round, in sizes of a point source (default: 5)",
    )


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.inject import inject
    from gammafind.pipeline.injected import COMPLETENESS, SOURCES

    chosen = {
        name: value
        for name in ("index", "separation")
        if (value := getattr(arguments, name)) is not None
    }
    try:
        done = inject(
            **sky_arguments(arguments),
            **chosen,
            output=arguments.output,
            rounds=arguments.rounds,
            number=arguments.number,
            flux=_fluxes(arguments.flux),
            places=arguments.places,
            radius=parse_radius(arguments.radius),
            min_score=arguments.min_score,
            preset=arguments.preset,
            localiser=arguments.localiser,
            clusterer=arguments.clusterer,
            options=parse_options(arguments.option),
            seed=arguments.seed,
            overwrite=arguments.overwrite,
            command=command_line(arguments),
        )
    except KeyboardInterrupt:
        stays = "complete rounds stay, and the same command continues"
        raise KeyboardInterrupt(stays) from None
    if arguments.verbosity >= 0:
        print(f"{done.text()}.")
        print("This is the completeness of detection; blending with real sources is a part of it.")
        for name in (SOURCES, COMPLETENESS):
            print(f"written: {arguments.output / name}")


def _fluxes(texts: list[str] | None) -> tuple | None:
    """Both fluxes with their units."""
    import astropy.units as u

    if texts is None:
        return None
    try:
        low, high = (u.Quantity(text) for text in texts)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"--flux {' '.join(texts)}: {error}", remedy="Write '1e-11 cm-2 s-1' '1e-9 cm-2 s-1'."
        ) from None
    return low, high
