"""Fixtures and settings that all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of the cache of all tests, which leave that and the data of the user alone."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAMMAFIND_CACHE", str(folder))
        patch.setenv("GAMMAFIND_DATA", str(tmp_path_factory.mktemp("data")))
        yield folder


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the checkout."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """Folder of reference data beside the checkout; the test is skipped where it is absent."""
    path = root.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("needs the reference data in ../shared")
    return path
