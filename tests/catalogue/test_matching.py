"""One-to-one matching: within the radius, each once, as many pairs as can be."""

from __future__ import annotations

from itertools import permutations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from gammafind.catalogue.matching import match_one_to_one
from gammafind.errors import OptionError

CENTRES = ((0.0, 0.0), (359.999, 40.0), (77.0, 90.0), (10.0, -90.0))


@st.composite
def crowds(draw):
    """Two small sets of positions within a degree of a place that is hard to handle."""
    centre = SkyCoord(*draw(st.sampled_from(CENTRES)), unit="deg")
    sets = []
    for _ in range(2):
        n = draw(st.integers(0, 5))
        angle = draw(st.lists(st.floats(0, 360), min_size=n, max_size=n))
        offset = draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
        sets.append(centre.directional_offset_by(np.array(angle) * u.deg, np.array(offset) * u.deg))
    return sets


def brute_force(a, b, radius):
    """Largest number of pairs, and the least total separation with it."""
    if len(a) > len(b):
        a, b = b, a
    if len(a) == 0:
        return 0, 0.0
    separation = a[:, None].separation(b[None, :]).deg
    best = (0, 0.0)
    for choice in permutations(range(len(b)), len(a)):
        picked = separation[np.arange(len(a)), list(choice)]
        inside = picked[picked <= radius]
        best = min(best, (-len(inside), inside.sum()))
    return -best[0], best[1]


@given(sets=crowds(), radius=st.floats(0.05, 0.8))
@settings(max_examples=40, deadline=None)
def test_pairs_are_one_to_one_and_within_the_radius(sets, radius):
    a, b = sets
    matches = match_one_to_one(a, b, radius * u.deg)
    assert len(set(matches.a)) == len(set(matches.b)) == len(matches)
    assert np.all(np.diff(matches.a) > 0)
    if len(matches):
        expected = a[matches.a].separation(b[matches.b])
        np.testing.assert_allclose(matches.separation.to_value(u.deg), expected.deg, atol=1e-9)
        assert matches.separation.max() <= (radius + 1e-9) * u.deg


@given(sets=crowds(), radius=st.floats(0.05, 0.8))
@settings(max_examples=40, deadline=None)
def test_optimal_meets_brute_force(sets, radius):
    matches = match_one_to_one(*sets, radius * u.deg)
    number, total = brute_force(*sets, radius)
    assert len(matches) == number
    assert matches.separation.sum().value == pytest.approx(total, abs=1e-6)


@given(sets=crowds(), radius=st.floats(0.05, 0.8))
@settings(max_examples=40, deadline=None)
def test_matching_is_symmetric(sets, radius):
    forth = match_one_to_one(*sets, radius * u.deg)
    back = match_one_to_one(*sets[::-1], radius * u.deg)
    assert len(forth) == len(back)
    assert forth.separation.sum().value == pytest.approx(back.separation.sum().value, abs=1e-9)


def test_the_nearest_pair_does_not_cost_another():
    a = SkyCoord([0.0, 1.0], [0.0, 0.0], unit="deg")
    b = SkyCoord([0.6, 1.9], [0.0, 0.0], unit="deg")
    optimal = match_one_to_one(a, b, 1 * u.deg)
    assert list(zip(optimal.a, optimal.b, strict=True)) == [(0, 0), (1, 1)]


def test_one_radius_for_each_object():
    a = SkyCoord([10.0, 20.0], [0.0, 0.0], unit="deg")
    b = SkyCoord([10.3, 20.3], [0.0, 0.0], unit="deg")
    matches = match_one_to_one(a, b, [0.2, 0.4] * u.deg)
    assert list(matches.a) == list(matches.b) == [1]


def test_frames_may_differ():
    a = SkyCoord([10.0, 200.0], [-5.0, 60.0], unit="deg")
    matches = match_one_to_one(a, a.galactic[::-1], 1 * u.arcsec)
    assert list(matches.b) == [1, 0]


def test_many_sources():
    rng = np.random.default_rng(3)
    n = 10_000
    a = SkyCoord(rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n))), unit="deg")
    order = rng.permutation(n)
    b = a[order].directional_offset_by(rng.uniform(0, 360, n) * u.deg, 0.001 * u.deg)
    matches = match_one_to_one(a, b, 0.5 * u.deg)
    assert len(matches) == n
    assert np.mean(order[matches.b] == matches.a) > 0.99


@pytest.mark.parametrize("radius", [1.0, -1 * u.deg, [1, 2] * u.deg])
def test_a_bad_radius_is_named(radius):
    a = SkyCoord([0.0, 1.0, 2.0], [0.0, 0.0, 0.0], unit="deg")
    with pytest.raises(OptionError):
        match_one_to_one(a, a, radius)
