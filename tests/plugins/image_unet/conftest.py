"""Folders of weights, written once."""

from __future__ import annotations

import pytest

from tests.plugins.image_unet.helpers import TILES, passing_filter
from tests.plugins.unet.helpers import TOY, matched_filter, write


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Folder of folders of weights: ``tiles``, and ``toy`` for patches."""
    folder = tmp_path_factory.mktemp("tile-weights")
    write(folder / "tiles", passing_filter(), TILES)
    write(folder / "toy", matched_filter(), TOY)
    return folder
