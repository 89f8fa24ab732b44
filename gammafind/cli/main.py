"""The command ``gammafind``: parse, call one command, turn errors into exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from gammafind import __version__
from gammafind.cli import (
    associate,
    classify,
    compare,
    demo,
    detect,
    diff,
    evaluate,
    export,
    exposure,
    fetch,
    inject,
    inspect,
    measure,
    plugins,
    probe,
    report,
    send,
    sensitivity,
    simulate,
    train,
)
from gammafind.cli import bin as bin_command
from gammafind.cli.screen import Screen
from gammafind.cli.standard_streams import drop, drop_if_broken, is_broken, mend_streams
from gammafind.errors import (
    LONGEST,
    GammafindError,
    OptionError,
    OutputError,
    PluginError,
    shortened,
)
from gammafind.utils.claims import claimed

COMMANDS = {
    "demo": demo,
    "detect": detect,
    "measure": measure,
    "probe": probe,
    "inspect": inspect,
    "bin": bin_command,
    "exposure": exposure,
    "plugins": plugins,
    "evaluate": evaluate,
    "classify": classify,
    "compare": compare,
    "report": report,
    "associate": associate,
    "diff": diff,
    "export": export,
    "send": send,
    "inject": inject,
    "sensitivity": sensitivity,
    "simulate": simulate,
    "train": train,
    "fetch": fetch,
}
"""Modules by command; each has ``SUMMARY``, ``EXAMPLES``, ``add_arguments`` and ``run``."""

_OUTPUTS = (
    "output",
    "regions",
    "report",
    "residuals",
    "plots",
    "plot",
    "candidates",
    "carry_names",
)
"""Arguments that name what is written."""
_INTERRUPTED = 130
_BROKEN_PIPE = 141

_DESCRIPTION = """\
Find, measure and name the point sources of the gamma-ray sky, and of any sky
with a plugin."""

_EPILOG = """\
examples:
  gammafind demo                              the real Fermi-LAT sky, 2-20 GeV
  gammafind detect counts.fits -o found.ecsv  your own count maps
  gammafind simulate -o skies                 skies with known sources
  gammafind plugins                           what can be combined

'gammafind COMMAND --help' explains a command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after ``gammafind``; those of the process by default.

    Returns
    -------
    int
        0 done, 1 failed for a stated reason, 130 interrupted, 141 nobody reads the output.
        Wrong usage raises SystemExit with code 2.
    """
    mend_streams()
    # Figures are only written; a backend of the user may not exist here.
    os.environ["MPLBACKEND"] = "agg"
    argv = sys.argv[1:] if argv is None else list(argv)
    arguments = parser().parse_args(argv)
    arguments.argv = argv
    with Screen(arguments.verbosity) as screen:
        try:
            _check_interpreter()
            with claimed(*_outputs(arguments)):
                arguments.run(arguments)
            sys.stdout.flush()
        except GammafindError as error:
            screen.error(str(error))
            return 1
        except KeyboardInterrupt as stop:
            screen.error(f"interrupted; {str(stop) or 'nothing was written'}")
            return _INTERRUPTED
        except BrokenPipeError:
            drop(sys.stdout)
            return _BROKEN_PIPE
        except (Exception, SystemExit) as error:  # A plugin may leave Python.
            screen.error(str(_named(error)))
            return 1
        finally:
            drop_if_broken(sys.stdout)
            drop_if_broken(sys.stderr)
    return 0


def _check_interpreter() -> None:
    """Refuse a Python that drops docstrings (-OO), which healpy edits when it is imported."""
    if sys.flags.optimize > 1:
        raise OptionError(
            "Python runs with -OO, which the libraries of gammafind do not bear",
            remedy="Run it without, and unset PYTHONOPTIMIZE.",
        )


def _outputs(arguments: argparse.Namespace) -> list[Path]:
    """Files and folders that a command writes."""
    try:
        Path.cwd()
    except OSError:
        raise OutputError(
            "the working directory does not exist any more", remedy="Change to another directory."
        ) from None
    given = [getattr(arguments, name, None) or [] for name in _OUTPUTS]
    each = (one if isinstance(one, list) else [one] for one in given)
    return [Path(path) for paths in each for path in paths]


def _named(error: BaseException) -> GammafindError:
    """What no other place has named, as one line."""
    if isinstance(error, MemoryError):
        return GammafindError(
            "the memory does not suffice",
            remedy="Use fewer workers or a smaller part of the sky, or free some memory.",
        )
    if isinstance(error, OSError) and error.strerror:
        place = "standard output" if is_broken(sys.stdout) else "a file"
        name = error.filename if isinstance(error.filename, str) else place
        return OutputError(f"cannot be used ({error.strerror})", path=name)
    from gammafind.roles.registry import failed_plugin

    said = f"{type(error).__name__}, {error}"
    plugin = failed_plugin(error)
    if plugin is not None:
        return PluginError(
            f"the {plugin.role} {plugin.name} of {plugin.distribution} {plugin.version} failed: "
            f"{said}",
            remedy="Report it to its authors with what --verbose prints.",
        )
    return GammafindError(
        f"this should not happen: {said}",
        remedy="Please report it with what --verbose prints.",
    )


class _Parser(argparse.ArgumentParser):
    """Names what is wrong with the arguments in one line of bounded length."""

    def error(self, message: str) -> NoReturn:
        """Print how the command is used, and leave with 2."""
        super().error(shortened(message, LONGEST - len(self.prog)))


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    top = _Parser(
        prog="gammafind",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"gammafind {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=f"{module.SUMMARY[0].upper()}{module.SUMMARY[1:]}.",
            epilog=f"examples:\n{module.EXAMPLES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(command)
        _add_verbosity(command)
        command.set_defaults(run=module.run)
    return top


def _add_verbosity(command: argparse.ArgumentParser) -> None:
    group = command.add_mutually_exclusive_group()
    group.add_argument(
        "-v",
        "--verbose",
        dest="verbosity",
        action="store_const",
        const=1,
        default=0,
        help="say more: times of the steps, warnings of libraries, tracebacks",
    )
    group.add_argument(
        "-q",
        "--quiet",
        dest="verbosity",
        action="store_const",
        const=-1,
        help="say nothing but errors; no progress bar",
    )
