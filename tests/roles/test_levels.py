from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from gammafind.roles.levels import stated_labels

CLASSES = ("a", "b", "c")
GROUPS = {"ab": ("a", "b")}


def labels(*rows: tuple[float, ...]) -> tuple[list[str], np.ndarray]:
    named, stated = stated_labels(
        np.reshape(rows, (-1, 3)), CLASSES, GROUPS, least=0.8, unknown="?"
    )
    return named.tolist(), stated


def test_a_class_is_named_where_it_is_probable_enough_else_a_group_else_nothing():
    named, stated = labels((0.9, 0.1, 0), (0.5, 0.4, 0.1), (0.4, 0.3, 0.3), (0, 0.1, 0.9))
    assert named == ["a", "ab", "?", "c"]
    assert_allclose(stated, [0.9, 0.9, 0, 0.9])


def test_no_sources_have_no_labels():
    named, stated = labels()
    assert named == []
    assert len(stated) == 0
