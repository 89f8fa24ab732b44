"""The toy sky as the only built-in one, here and in fresh processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gammafind.roles import registry
from gammafind.roles.discovery import discover
from tests.contracts.installed import run_python

_MODULES = ("tests.cli.toy", "tests.simulation.toy_sky")
_SCRIPT = """
from gammafind.roles import registry
from gammafind.roles.discovery import discover
registry.discover = lambda chosen: discover("", {modules!r})
"""


@pytest.fixture
def two_years(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Replace the built-in plugins by those of the toy sky, and leave others out."""
    monkeypatch.setattr(registry, "discover", lambda chosen: discover("", _MODULES))
    registry.reset()
    yield
    registry.reset()


def run_with_toy_sky(
    code: str, *paths: Path, plugins: tuple[str, ...] = ()
) -> tuple[int, str, str]:
    """Run code in a fresh Python that knows the toy sky: status, output, errors."""
    done = run_python(_SCRIPT.format(modules=(*_MODULES, *plugins)) + code, *paths)
    return done.returncode, done.stdout, done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of all files below a folder, but for the records, which hold the time of the day."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "simulation.json"
    }
