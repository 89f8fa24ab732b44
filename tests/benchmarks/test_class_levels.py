"""Which labels are right, by what a catalogue knows."""

from __future__ import annotations

import numpy as np
from class_levels import Judged


def judged(**labels):
    """One label a row, next to what it is."""
    label, true = (np.array(one, dtype=object) for one in (labels["label"], labels["true"]))
    return Judged(label, np.full(len(label), 0.95), true, np.zeros(len(label), dtype=int))


def test_coarser_labels_are_right_as_well():
    label = ["BLL", "BCU", "REAL", "GALACTIC", "FSRQ", "FAKE"]
    assert judged(label=label, true=["BLL"] * 6).right.tolist() == [True] * 3 + [False] * 3


def test_nothing_but_fake_is_right_without_a_source():
    label = ["BLL", "BCU", "GALACTIC", "REAL", "FAKE"]
    assert judged(label=label, true=["FAKE"] * 5).right.tolist() == [False] * 4 + [True]


def test_labels_finer_than_the_catalogue_are_left_open():
    some = judged(
        label=["BCU", "REAL", "BLL", "PSR", "GALACTIC", "UNK"],
        true=["REAL", "REAL", "BCU", "BCU", "GALACTIC", "BLL"],
    )
    assert some.decided.tolist() == [False, True, False, True, True, False]
