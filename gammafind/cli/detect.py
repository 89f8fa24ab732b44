"""``gammafind detect``: count maps in, catalogue out."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import (
    add_map_arguments,
    add_output_arguments,
    add_plugin_arguments,
    add_preset_argument,
    add_reference_argument,
    add_seed_argument,
    add_sky_arguments,
    chosen_plugins,
    command_line,
    parse_number,
    parse_path,
    sky_arguments,
    sky_files,
)
from gammafind.cli.epoch_arguments import add_epoch_argument, add_times_argument, chosen_epochs
from gammafind.cli.printing import print_result

SUMMARY = "find the sources of your own maps"
EXAMPLES = """\
  gammafind detect counts.fits -o found.ecsv
  gammafind detect ft1.fits exposure.fits -o found.ecsv
  gammafind detect map.fits --band 2-20GeV -o found.fits --regions found.reg
  gammafind detect counts.fits --reference 4fgl-dr2 -o found.ecsv --report page
  gammafind detect photons.fits --preset fermi-lat-psf3-2-20 \\
      --option localiser.threshold=25 -o found.vot
  gammafind detect ft1.fits --ft2 ft2.fits --preset fermi-lat -o found.ecsv
  gammafind detect counts.fits --localiser unet --beside likelihood -o found.ecsv
  gammafind detect counts.fits --localiser unet --classifier cnn --epoch year-1.fits \\
      --epoch year-2.fits ... -o found.ecsv

Without --preset, the preset is used whose bands match the energy bins of the files, or one is made
from their headers; gammafind inspect shows it."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `run` needs."""
    add_map_arguments(parser, photons=True)
    add_preset_argument(parser, "plugins")
    add_plugin_arguments(parser)
    add_sky_arguments(parser)
    _add_epoch_argument(parser)
    _add_score_arguments(parser)
    _add_measure_arguments(parser)
    add_reference_argument(parser, "match")
    parser.add_argument(
        "--associate",
        action="append",
        default=[],
        metavar="CATALOGUE",
        help="catalogue of possible counterparts, with position errors, for the probabilities of "
        "associations; may be given again (gammafind associate has more options)",
    )
    parser.add_argument(
        "--prefix",
        default="GF",
        metavar="ACRONYM",
        help="what the names of the sources begin with (default: %(default)s)",
    )
    add_seed_argument(parser)
    _add_products(parser)
    add_output_arguments(parser)


def _add_epoch_argument(parser: ArgumentParser) -> None:
    """Add the counts of each epoch."""
    parser.add_argument(
        "--extended",
        metavar="CATALOGUE|none",
        help="sources known to be extended: 4fgl-dr1 to 4fgl-dr4 or fl16y, or a table with "
        "positions, shape and radius or map (default: those that the instrument knows, of the "
        "LAT 4fgl-dr2)",
    )
    add_times_argument(parser)
    add_epoch_argument(parser, "for a classifier that uses time")


def _add_score_arguments(parser: ArgumentParser) -> None:
    """Add what decides which detections are kept."""
    parser.add_argument(
        "--min-score",
        type=parse_number,
        metavar="SCORE",
        help="lowest score kept (default: that of the preset or, where it has none, of the "
        "localiser); to look deeper, lower the threshold of the localiser too",
    )
    parser.add_argument(
        "--max-fake",
        type=parse_number,
        metavar="P",
        help="drop what the classifier takes for no source with a larger probability (default: "
        "label it only)",
    )


def _add_measure_arguments(parser: ArgumentParser) -> None:
    """Add whether the sources are measured."""
    parser.add_argument(
        "--no-measure",
        action="store_true",
        help="leave out spectra, band fluxes and error ellipses (see gammafind measure)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="number of processes that measure (default: %(default)s)",
    )


def _add_products(parser: ArgumentParser) -> None:
    """Add the files to write."""
    parser.add_argument(
        "-o",
        "--output",
        type=parse_path,
        action="append",
        required=True,
        metavar="CATALOGUE",
        help="catalogue; .ecsv, .fits, .vot or .csv says the format, and so do those that "
        "'gammafind export --help' lists; may be given again",
    )
    parser.add_argument("--regions", type=parse_path, metavar="FILE", help="DS9 region file")
    help_text = "folder of figures and a page that shows them"
    parser.add_argument("--report", type=parse_path, metavar="DIR", help=help_text)
    parser.add_argument(
        "--residuals",
        type=parse_path,
        metavar="FILE",
        help="FITS file of the maps of residuals and of PS, the probability of such deviations; "
        "they are on the page too",
    )


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.detect import detect
    from gammafind.pipeline.products import Products
    from gammafind.roles.registry import get_plugin

    for name in arguments.beside:
        get_plugin("localiser", name)
    products = Products(
        tables=tuple(arguments.output),
        regions=arguments.regions,
        report=arguments.report,
        residuals=arguments.residuals,
        overwrite=arguments.overwrite,
    ).with_beside(arguments.beside)
    epochs = [path for paths in arguments.epoch for path in paths]
    inputs = [*sky_files(arguments), *epochs, arguments.reference, arguments.extended]
    products.check(inputs=inputs, named_after=[arguments.reference])
    result = detect(
        **sky_arguments(arguments),
        preset=arguments.preset,
        **chosen_plugins(arguments),
        extended=arguments.extended,
        epochs=chosen_epochs(arguments),
        reference=arguments.reference,
        counterparts=arguments.associate,
        min_score=arguments.min_score,
        max_fake=arguments.max_fake,
        residuals=arguments.residuals is not None,
        measure=not arguments.no_measure,
        workers=arguments.workers,
        prefix=arguments.prefix,
        seed=arguments.seed,
        command=command_line(arguments),
    )
    products = products.with_beside([one.preset.localiser.name for one in result.beside])
    products.write(result)
    if arguments.verbosity >= 0:
        page = [arguments.report / "index.html"] if arguments.report else []
        print_result(result, [*products.files, *page])
