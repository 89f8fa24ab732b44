"""Which version of gammafind runs: that of the package, or the commit of a checkout."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import gammafind

_PATIENCE = 10.0
"""Seconds after which git is not waited for: it takes hundredths."""


@cache
def running_version() -> str:
    """Version of the code that runs, for records.

    Returns
    -------
    str
        The version of the package. In a checkout that was written when the package was installed,
        and the code has gone on since: there it is followed by the commit, and by ``changed``
        where files are not as in the commit.
    """
    commit = _commit(Path(gammafind.__file__).parents[1])
    version = gammafind.__version__
    return version if commit is None else f"{version.partition('+')[0]} (commit {commit})"


def _commit(root: Path) -> str | None:
    """Commit of a checkout; None where there is none, or no git."""
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=9", "--dirty=, changed"]
    try:
        done = subprocess.run(
            [*command, "--exclude=*"], capture_output=True, text=True, timeout=_PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
