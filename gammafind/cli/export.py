"""``gammafind export``: a catalogue in the formats of other programs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import REFERENCES, add_output_arguments, parse_path

SUMMARY = "write a catalogue in the formats of other programs"
EXAMPLES = """\
  gammafind export found.ecsv -o found.fits found.vot found.reg
  gammafind export found.ecsv -o found.model.xml        models for the Fermitools
  gammafind export found.ecsv -o found.yaml found.sed   models and flux points for gammapy
  gammafind export found.ecsv -o found.moc.fits found.prov.json
  gammafind export 4fgl-dr4 -o 4fgl.yaml

The suffix says the format: .ecsv, .fits, .vot and .csv tables; .reg regions of DS9; .model.xml and
.yaml models with spectra; .sed a folder of flux points; .moc.fits the region that was searched;
.prov.json how the catalogue was made."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("catalogue", metavar="CATALOGUE", help=f"the sources: {REFERENCES}")
    parser.add_argument(
        "-o",
        "--output",
        action="extend",
        nargs="+",
        type=parse_path,
        required=True,
        metavar="FILE",
        help="files to write",
    )
    add_output_arguments(parser)


def run(arguments: Namespace) -> None:
    """Run the command."""
    from gammafind.pipeline.export import export

    written = export(arguments.catalogue, *arguments.output, overwrite=arguments.overwrite)
    if arguments.verbosity >= 0:
        for path in written:
            print(f"written: {path}")
