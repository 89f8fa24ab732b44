"""What the tests of the commands share."""

from __future__ import annotations

from tests.cli.fixtures import toy

__all__ = ["toy"]
