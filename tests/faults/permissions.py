"""Whether permissions hold for the one who runs the tests: root may do all, unless it is bound."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def permissions_hold() -> bool:
    """Whether a folder without permissions cannot be entered."""
    with tempfile.TemporaryDirectory() as name:
        closed = Path(name) / "closed"
        closed.mkdir(mode=0)
        return not os.access(closed, os.R_OK)
