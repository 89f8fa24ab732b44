"""``gammafind sensitivity``: the flux at which half of all sources are found, as a map."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import (
    REFERENCES,
    add_caldb_argument,
    add_map_arguments,
    add_option_argument,
    add_output_arguments,
    add_preset_argument,
    add_seed_argument,
    add_sky_arguments,
    command_line,
    parse_number,
    parse_options,
    parse_path,
    sky_arguments,
    sky_files,
)
from gammafind.errors import OutputError

_FIGURES = (".png", ".pdf", ".svg")
SUMMARY = "map the flux at which half of all sources are found"
EXAMPLES = """\
  gammafind sensitivity counts.fits -o sensitivity.fits
  gammafind sensitivity counts.fits --ts 25 --index 2.0 -o sensitivity.fits --plot sensitivity.png
  gammafind sensitivity counts.fits --sources found.ecsv -o sensitivity.fits

The TS is that of the localiser likelihood. With --sources the sources that are known are a part of
the sky on which a new one must be found."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_map_arguments(parser, photons=True)
    add_preset_argument(parser, "plugins")
    add_option_argument(parser, "ROLE.NAME", "option of a plugin, such as renderer.index=2")
    add_caldb_argument(parser)
    add_sky_arguments(parser)
    parser.add_argument(
        "--ts", type=parse_number, metavar="TS", help="lowest TS of what is found (default: 16)"
    )
    parser.add_argument(
        "--index",
        type=parse_number,
        metavar="INDEX",
        help="photon index of the sources (default: 2.3)",
    )
    parser.add_argument(
        "--sources",
        metavar="CATALOGUE",
        help=f"sources that are part of the sky, such as those found: {REFERENCES}",
    )
    parser.add_argument("--nside", type=int, metavar="N", help="of the map (default: 64)")
    add_seed_argument(parser)
    parser.add_argument(
        "-o", "--output", type=parse_path, required=True, metavar="FILE", help="HEALPix FITS file"
    )
    parser.add_argument(
        "--plot", type=parse_path, metavar="FILE", help=f"figure ({', '.join(_FIGURES)})"
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from contextlib import ExitStack

    import numpy as np

    from gammafind.pipeline.products import check_apart
    from gammafind.pipeline.sensitivity import sensitivity
    from gammafind.sky.fits import write_map
    from gammafind.utils.files import atomic_output, check_output

    outputs = [path for path in (arguments.output, arguments.plot) if path is not None]
    check_apart(outputs, [*sky_files(arguments), arguments.sources])
    for path in outputs:
        check_output(path, overwrite=arguments.overwrite)
    if arguments.plot is not None and arguments.plot.suffix.lower() not in _FIGURES:
        raise OutputError(
            "the suffix of the figure is unknown",
            path=arguments.plot,
            remedy=f"Accepted are {', '.join(_FIGURES)}.",
        )
    chosen = {
        name: value
        for name in ("ts", "index", "nside")
        if (value := getattr(arguments, name)) is not None
    }
    sky = sensitivity(
        **sky_arguments(arguments),
        **chosen,
        sources=arguments.sources,
        preset=arguments.preset,
        options=parse_options(arguments.option),
        seed=arguments.seed,
        command=command_line(arguments),
    )
    with ExitStack() as pending:
        places = [pending.enter_context(atomic_output(p, arguments.overwrite)) for p in outputs]
        write_map(sky, places[0])
        if arguments.plot is not None:
            from gammafind.views.sensitivity import sensitivity_figure

            sensitivity_figure(sky).savefig(places[1])
    if arguments.verbosity >= 0:
        values = sky.values[0][sky.valid[0]]
        low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
        print(
            f"half of all sources are found at {middle:.3g} cm-2 s-1 (median of the sky; 90 % of "
            f"it from {low:.3g} to {high:.3g})"
        )
        for path in outputs:
            print(f"written: {path}")
