"""Makes the scripts in benchmarks/ importable, as they import each other."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

import pytest
from fuzz_files import write_corpus

from tests.cli.fixtures import toy

__all__ = ["corpus", "toy"]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A whole file of each kind that is read, by name."""
    return write_corpus(tmp_path_factory.mktemp("corpus"))
