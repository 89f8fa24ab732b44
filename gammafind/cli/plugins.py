"""``gammafind plugins``: what is installed, what is broken, and how a new one begins."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING

from gammafind.cli.arguments import add_option_argument, parse_named_options

if TYPE_CHECKING:
    from gammafind.roles.registry import PluginInfo
    from gammafind.testing.common import Outcome


SUMMARY = "list the plugins that are installed; check one, or begin one"
EXAMPLES = """\
  gammafind plugins
  gammafind plugins --role clusterer
  gammafind plugins --json
  gammafind plugins new x-ray --role renderer
  gammafind plugins check x-ray"""
_ROLE = "population, renderer, localiser, clusterer or classifier"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--role", metavar="ROLE", help=f"list one role: {_ROLE}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action")
    shape = {"formatter_class": RawDescriptionHelpFormatter, "allow_abbrev": False}
    new = actions.add_parser("new", help="write a package whose tests pass as written", **shape)
    new.add_argument("name", metavar="NAME", help="kebab-case, such as x-ray")
    new.add_argument("--role", metavar="ROLE", required=True, help=_ROLE)
    new.add_argument("-o", "--output", metavar="FOLDER", help="default: gammafind-NAME")
    check = actions.add_parser("check", help="check the contract of a plugin", **shape)
    check.add_argument("name", metavar="NAME", help="of an installed plugin")
    check.add_argument("--role", metavar="ROLE", help="where several roles have this name")
    add_option_argument(check, "PLUGIN.NAME", "option of the plugin, such as x-ray.nside=64")


def run(arguments: Namespace) -> None:
    """Run the command."""
    actions = {None: _list, "new": _new, "check": _check}
    actions[arguments.action](arguments)


def _list(arguments: Namespace) -> None:
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


def _new(arguments: Namespace) -> None:
    from pathlib import Path

    from gammafind.testing.kit import new_plugin

    folder = None if arguments.output is None else Path(arguments.output)
    for path in new_plugin(arguments.name, arguments.role, folder):
        print(path)
    print("README.md says how to install, check and use it.")


def _check(arguments: Namespace) -> None:
    from gammafind.errors import ConformanceError
    from gammafind.roles.options import check_options
    from gammafind.roles.registry import get_plugin, role_of
    from gammafind.testing.contract import contract

    role = arguments.role or role_of(arguments.name)
    plugin = get_plugin(role, arguments.name)
    given = parse_named_options(arguments.option).get(arguments.name, {})
    found = contract(plugin, **check_options(plugin, given))
    print(_report(found))
    failed = sum(one.fails for one in found)
    if failed:
        raise ConformanceError(
            f"{arguments.name} breaks {failed} of {len(found)} rules of a {role}",
            remedy="The list above names them; a rule that is broken on purpose goes into "
            "declared_failures of the class, with its reason.",
        )
    print(f"{arguments.name} keeps the contract of a {role}: {len(found)} rules.")


def _report(found: list[Outcome]) -> str:
    """One line a rule: whether it holds, and what is wrong."""
    lines = []
    for one in found:
        state = "fails" if one.fails else "declared" if one.breach else "holds"
        lines.append(f"{state:<9} {one.rule}")
        if one.breach:
            lines.append(f"{'':<9}   {one.breach}")
        if one.declared:
            lines.append(f"{'':<9}   on purpose: {one.declared}")
    return "\n".join(lines)


def _table(found: list[PluginInfo]) -> str:
    """Aligned lines, a heading first."""
    from gammafind.evaluation.numbers import aligned

    rows = []
    for info in found:
        origin = f"{info.distribution} {info.version}".strip()
        what = f"broken: {info.error}" if info.error else info.summary
        rows.append((info.role or "?", info.name, origin or "?", what))
    return aligned(("ROLE", "NAME", "FROM", "WHAT"), rows, left=4)
