"""Run the command line: ``gammafind``, or ``python -m gammafind``."""

from __future__ import annotations

import signal
import sys


def run() -> int:
    """Run the command of the arguments; Ctrl-C while modules are loaded ends the process at once.

    Returns
    -------
    int
        As `gammafind.cli.main.main`.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from gammafind.cli.main import main

    signal.signal(signal.SIGINT, before)
    return main()


if __name__ == "__main__":
    sys.exit(run())
