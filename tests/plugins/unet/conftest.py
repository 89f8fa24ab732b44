"""Folders of weights, written once."""

from __future__ import annotations

import shutil

import pytest

from tests.plugins.unet.helpers import (
    MANY,
    TOY,
    matched_filter,
    random_network,
    write,
)


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Folder of folders of weights: ``many`` and ``toy``."""
    folder = tmp_path_factory.mktemp("weights")
    write(folder / "many", random_network(MANY), MANY)
    write(folder / "toy", matched_filter(), TOY)
    return folder


@pytest.fixture
def toy(written, tmp_path):
    """Weights of `TOY` that may be damaged."""
    return shutil.copytree(written / "toy", tmp_path / "toy")


@pytest.fixture
def many(written, tmp_path):
    """Weights of `MANY` that may be damaged."""
    return shutil.copytree(written / "many", tmp_path / "many")
