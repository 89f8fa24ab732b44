"""Objects that wait on disk."""

from __future__ import annotations

import numpy as np

from gammafind.utils.shelf import Shelf


def test_a_shelf_gives_its_objects_as_often_as_they_are_needed():
    with Shelf(np.full(3, value) for value in range(4)) as shelf:
        assert len(shelf) == 4
        for _ in range(2):
            assert [one.tolist() for one in shelf] == [[value] * 3 for value in range(4)]


def test_each_object_is_made_once_the_one_before_is_written_and_nothing_remains():
    made = []
    with Shelf(made.append(value) or value for value in range(3)) as shelf:
        folder = shelf._folder
        assert made == [0, 1, 2]
        assert len(list(folder.glob("*.pickle"))) == 3
    assert not folder.exists()
