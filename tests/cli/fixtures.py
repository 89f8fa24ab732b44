"""The toy instrument as the only built-in one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gammafind.roles import registry
from gammafind.roles.discovery import discover


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Replace the built-in plugins by those of ``tests.cli.toy``, and leave others out."""
    built_in = ("gammafind.plugins.clusterers", "tests.cli.toy")
    monkeypatch.setattr(registry, "discover", lambda chosen: discover("", built_in))
    registry.reset()
    yield
    registry.reset()
