"""Tiles of an image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gammafind.errors import OptionError
from gammafind.sky.tiles import tiles


@given(st.integers(1, 300), st.integers(1, 300), st.integers(8, 100), st.integers(0, 3))
def test_cores_cover_the_image_once_and_tiles_have_one_size(ny, nx, side, margin):
    owned = np.zeros((ny, nx), dtype=int)
    y, x = np.indices((ny, nx))
    for tile in tiles((ny, nx), side=side, margin=margin):
        owned += tile.owns(x, y)
        part = tile.cut(owned)
        assert part.shape == (min(side, ny), min(side, nx))
    assert np.all(owned == 1)


def test_a_core_keeps_its_margin_within_the_image():
    for tile in tiles((100, 100), side=40, margin=8):
        for part, core in ((tile.rows, tile.core_rows), (tile.columns, tile.core_columns)):
            assert core.start - part.start >= 8 or core.start == 0
            assert part.stop - core.stop >= 8 or core.stop == 100


def test_margins_leave_a_core():
    with pytest.raises(OptionError, match="tiles of 8 pixels with a margin of 4"):
        list(tiles((10, 10), side=8, margin=4))
