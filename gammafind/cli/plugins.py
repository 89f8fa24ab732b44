"""``gammafind plugins``: what is installed, and what is broken."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gammafind.roles.registry import PluginInfo


SUMMARY = "list the plugins that are installed"
EXAMPLES = """\
  gammafind plugins
  gammafind plugins --role clusterer
  gammafind plugins --json"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "--role",
        metavar="ROLE",
        help="list one role: population, renderer, localiser, clusterer or classifier",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: Namespace) -> None:
    """Run the command."""
    import dataclasses
    import warnings

    from gammafind.errors import BrokenPluginWarning
    from gammafind.roles.registry import plugins

    with warnings.catch_warnings():
        # The list itself says what is broken and why.
        warnings.simplefilter("ignore", BrokenPluginWarning)
        found = plugins(arguments.role)
    if arguments.json:
        print(json.dumps([dataclasses.asdict(info) for info in found], indent=2))
    else:
        print(_table(found))


def _table(found: list[PluginInfo]) -> str:
    """Aligned lines, a heading first."""
    from gammafind.evaluation.numbers import aligned

    rows = []
    for info in found:
        origin = f"{info.distribution} {info.version}".strip()
        what = f"broken: {info.error}" if info.error else info.summary
        rows.append((info.role or "?", info.name, origin or "?", what))
    return aligned(("ROLE", "NAME", "FROM", "WHAT"), rows, left=4)
