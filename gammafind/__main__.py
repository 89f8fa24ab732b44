"""Run the command line by ``python -m gammafind``."""

from __future__ import annotations

import sys

from gammafind.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
