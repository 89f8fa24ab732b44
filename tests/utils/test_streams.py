"""Streams are fixed by seed and index, and independent of all others."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.utils.streams import streams


def draws(seed, index):
    found = streams(seed, index)
    return [rng.integers(1 << 62) for rng in (found.sources, found.counts, found.rotation)]


def test_the_same_seed_and_index_draw_the_same():
    assert draws(3, 5) == draws(3, 5)


def test_all_streams_of_all_seeds_and_indices_differ():
    drawn = [value for seed in range(10) for index in range(10) for value in draws(seed, index)]
    assert len(set(drawn)) == 300


def test_the_streams_are_those_of_the_documented_seed_sequence():
    child = np.random.SeedSequence(7, spawn_key=(2,))
    expected = [np.random.default_rng(part).integers(1 << 62) for part in child.spawn(3)]
    assert draws(7, 2) == expected


@pytest.mark.parametrize(("seed", "index", "name"), [(-1, 0, "seed"), (0, -1, "index")])
def test_negative_numbers_are_refused(seed, index, name):
    with pytest.raises(OptionError, match=f"the {name} is -1"):
        streams(seed, index)
