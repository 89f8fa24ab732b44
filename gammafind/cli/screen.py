"""What the user sees on the terminal: messages, warnings, errors, progress."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from contextlib import ExitStack, suppress
from typing import Any

from gammafind.errors import LONGEST, GammafindWarning, shortened
from gammafind.utils.progress import progress_bars

_LEVELS = {-1: logging.ERROR, 0: logging.INFO, 1: logging.DEBUG}


class Screen:
    """Sends messages and warnings to standard error, one clean line each.

    Parameters
    ----------
    verbosity : {-1, 0, 1}
        -1: errors only. 0: messages and warnings of gammafind too. 1: also the times of the
        steps, the warnings of libraries and tracebacks.
    """

    def __init__(self, verbosity: int) -> None:
        self.verbosity = verbosity
        self._log = logging.getLogger("gammafind")
        self._open = ExitStack()

    def __enter__(self) -> Screen:
        handler = _LineHandler()
        level, propagate = self._log.level, self._log.propagate
        self._log.addHandler(handler)
        self._log.setLevel(_LEVELS[self.verbosity])
        self._log.propagate = False
        self._open.callback(self._restore, handler, level, propagate)
        self._open.enter_context(warnings.catch_warnings())
        if self.verbosity >= 0:
            self._open.enter_context(progress_bars(sys.stderr))
        if self.verbosity < 1:
            warnings.simplefilter("ignore")
            # It reports folders that it cannot use by a logger of its own.
            self._quiet("matplotlib")
        warnings.simplefilter("ignore" if self.verbosity < 0 else "always", GammafindWarning)
        warnings.showwarning = _show_warning
        return self

    def __exit__(self, *_: Any) -> None:
        self._open.close()

    def error(self, message: str) -> None:
        """Print the reason for a failure, and the traceback if the output is verbose."""
        if self.verbosity > 0:
            with suppress(OSError, ValueError):
                traceback.print_exc(file=sys.stderr)
        _write(f"gammafind: error: {message}")

    def _quiet(self, name: str) -> None:
        """Let the logger of a library say nothing but errors until the end."""
        log = logging.getLogger(name)
        self._open.callback(log.setLevel, log.level)
        log.setLevel(logging.ERROR)

    def _restore(self, handler: logging.Handler, level: int, propagate: bool) -> None:
        self._log.removeHandler(handler)
        self._log.setLevel(level)
        self._log.propagate = propagate


class _LineHandler(logging.Handler):
    """Writes each record as one line, above the progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        _write(f"gammafind: {record.getMessage()}")


def _show_warning(message: Warning | str, category: type[Warning], *_: Any) -> None:
    kind = "" if issubclass(category, GammafindWarning) else f"{category.__name__}: "
    _write(f"gammafind: warning: {kind}{message}")


def _write(line: str) -> None:
    """Write a short line that steers no terminal; where nobody can read it, it is lost."""
    line = shortened(line, LONGEST + len("gammafind: warning: "))
    with suppress(OSError, ValueError):
        if "tqdm" in sys.modules:
            from tqdm import tqdm

            tqdm.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr)
