from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.stacks import PatchStacks
from tests.fitting.skies import random_sky

WIDTH = (8,)


def stacks(seed: int = 4) -> PatchStacks:
    _, _, sky = random_sky(2)
    grid = PatchGrid.healpix(1, size=40 * u.deg)
    return PatchStacks(sky, grid, WIDTH, np.random.default_rng(seed))


def test_a_single_stack_is_kept():
    one = stacks()
    (_, first), (_, second) = next(iter(one)), next(iter(one))
    assert first is second
    assert len(first) == 12


@pytest.mark.parametrize("at_once", [1, 5, 12])
def test_stacks_of_any_size_show_the_same_photons(monkeypatch, at_once):
    whole = next(iter(stacks()))[1].counts[0]
    monkeypatch.setattr("gammafind.sky.stacks._AT_ONCE", at_once)
    parts = stacks()
    for _ in range(2):
        starts, pieces = zip(*((start, p.counts[0]) for start, p in parts), strict=True)
        assert list(starts) == list(range(0, 12, at_once))
        np.testing.assert_array_equal(np.concatenate(pieces), whole)
