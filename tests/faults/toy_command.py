"""The command line with the toy instrument of ``tests.cli`` as the only built-in one."""

from __future__ import annotations

import sys

from gammafind.__main__ import run
from gammafind.roles import registry
from gammafind.roles.discovery import discover

if __name__ == "__main__":
    registry.discover = lambda chosen: discover(
        "", ("gammafind.plugins.clusterers", "tests.cli.toy")
    )
    sys.exit(run())
