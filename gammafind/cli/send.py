"""``gammafind send``: a catalogue for TOPCAT, Aladin or DS9 on the same machine."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gammafind.cli.arguments import REFERENCES

SUMMARY = "send a catalogue to TOPCAT, Aladin or DS9 on the same machine (SAMP)"
EXAMPLES = """\
  gammafind send found.ecsv
  gammafind send 4fgl-dr4 --to topcat"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("catalogue", metavar="CATALOGUE", help=f"the sources: {REFERENCES}")
    parser.add_argument(
        "--to",
        default="",
        metavar="PROGRAM",
        help="part of the name of a program (default: all that take tables)",
    )


def run(arguments: Namespace) -> None:
    """Run the command."""
    from pathlib import Path

    from gammafind.pipeline.send import send

    name = Path(arguments.catalogue).name
    received = send(arguments.catalogue, to=arguments.to, name=name)
    if arguments.verbosity >= 0:
        print(f"received by: {', '.join(received) or 'none'}")
