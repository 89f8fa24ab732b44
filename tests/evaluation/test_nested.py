"""Matching by score: at every cut, what an optimal matching of that cut would give."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from gammafind.catalogue.matching import match_one_to_one
from gammafind.evaluation.nested import match_by_score


def line(values):
    """Positions along the equator, across longitude 0."""
    values = np.asarray(values, dtype=float)
    return SkyCoord(values % 360, np.zeros(len(values)), unit="deg")


@given(
    detections=st.lists(st.tuples(st.floats(-3, 3), st.integers(0, 5)), max_size=10),
    truth=st.lists(st.floats(-3, 3), max_size=8),
)
@settings(max_examples=100, deadline=None)
def test_every_cut_has_as_many_pairs_as_an_optimal_matching(detections, truth):
    here, there = line([d[0] for d in detections]), line(truth)
    score = np.array([d[1] for d in detections], dtype=float)
    matched, found_at = match_by_score(here, there, score, radius=0.5 * u.deg)
    for cut in range(6):
        pairs = match_one_to_one(here[score >= cut], there, 0.5 * u.deg)
        assert np.sum(matched & (score >= cut)) == len(pairs)
        assert np.sum(found_at >= cut) == len(pairs)


def test_nearest_free_source_is_taken():
    matched, found_at = match_by_score(line([0.0]), line([0.4, -0.1]), [5.0], radius=0.5 * u.deg)
    assert list(matched) == [True]
    assert list(found_at) == [-np.inf, 5.0]


def test_a_found_source_keeps_its_cut_when_its_detection_moves_on():
    detections, truth = line([0.0, -0.4]), line([-0.1, 0.3])
    matched, found_at = match_by_score(detections, truth, [9.0, 2.0], radius=0.35 * u.deg)
    assert list(matched) == [True, True]
    assert list(found_at) == [9.0, 2.0]


def test_a_second_detection_of_a_source_is_false():
    matched, found_at = match_by_score(line([0.0, 0.1]), line([0.1]), [9.0, 2.0])
    assert list(matched) == [True, False]
    assert list(found_at) == [9.0]


def test_many_sources():
    rng = np.random.default_rng(5)
    n = 10_000
    sky = SkyCoord(
        rng.uniform(0, 360, 2 * n), np.degrees(np.arcsin(rng.uniform(-1, 1, 2 * n))), unit="deg"
    )
    matched, found_at = match_by_score(sky[:n], sky[n:], rng.normal(size=n), radius=1 * u.deg)
    assert matched.sum() == np.isfinite(found_at).sum()
    assert matched.sum() == len(match_one_to_one(sky[:n], sky[n:], 1 * u.deg))
