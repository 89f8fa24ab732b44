"""Completeness and purity against skies where both are known."""

from __future__ import annotations

from dataclasses import astuple

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable

from gammafind.errors import OptionError, TableError
from gammafind.evaluation.intervals import bootstrap_interval, resample
from gammafind.evaluation.metrics import (
    completeness_at_purity,
    evaluate_detections,
    expected_false_above,
    rates,
    score_curve,
)
from gammafind.evaluation.offsets import measure_offsets


def grid_table(n, **columns):
    """Table of ``n`` positions 6 deg apart, north to south, with further columns."""
    lon, lat = np.meshgrid(np.arange(0, 360, 12.0), np.arange(60, -61, -6.0))
    table = QTable({"ra": lon.ravel()[:n] * u.deg, "dec": lat.ravel()[:n] * u.deg})
    for name, values in columns.items():
        table[name] = values
    return table


@pytest.fixture
def sky():
    """Ten sources; the first six found with scores 10 to 5, and two false ones of 7.5 and 1."""
    truth = grid_table(10, flux=np.arange(10.0))
    places = grid_table(20)
    detections = places[[0, 1, 2, 3, 4, 5, 15, 16]]
    detections["score"] = [10, 9, 8, 7, 6, 5, 7.5, 1]
    return detections, truth


def test_rates_at_cuts(sky):
    evaluation = evaluate_detections(*sky)
    assert astuple(rates(evaluation)) == (-np.inf, 8, 6, 10, 6)
    assert rates(evaluation).completeness == 0.6
    assert rates(evaluation).purity == 0.75
    at_7 = rates(evaluation, cut=7)
    assert (at_7.completeness, at_7.purity) == (0.4, 0.8)


def test_curve_agrees_with_rates():
    rng = np.random.default_rng(1)
    truth = grid_table(300)
    detections = grid_table(400, score=rng.integers(0, 30, 400).astype(float))
    detections = detections[rng.permutation(400)[:250]]
    evaluation = evaluate_detections(detections, truth)
    curve = score_curve(evaluation)
    assert np.all(np.diff(curve["cut"]) < 0)
    assert set(curve["cut"]) == set(detections["score"])
    for row in curve:
        expected = rates(evaluation, cut=row["cut"])
        assert row["n_detections"] == expected.n_detections
        assert row["n_matched"] == expected.n_matched
        assert row["n_found"] == expected.n_found
        assert row["purity"] == expected.purity
        assert row["completeness"] == expected.completeness


def test_operating_point_is_the_lowest_cut_that_is_pure(sky):
    evaluation = evaluate_detections(*sky)
    assert astuple(completeness_at_purity(evaluation, purity=0.85)) == (5.0, 7, 6, 10, 6)
    assert completeness_at_purity(evaluation, purity=0.9).cut == 8.0
    assert completeness_at_purity(evaluation, purity=0.0).cut == 1.0


def test_no_cut_is_pure():
    evaluation = evaluate_detections(grid_table(3, score=[1.0, 2.0, 3.0])[2:], grid_table(2))
    point = completeness_at_purity(evaluation)
    assert point.cut == np.inf
    assert point.completeness == 0
    assert np.isnan(point.purity)


def test_detections_of_sources_not_selected_are_not_false(sky):
    detections, truth = sky
    bright = evaluate_detections(detections, truth, selected=truth["flux"] >= 5)
    assert rates(bright).purity == 0.75
    assert astuple(rates(bright)) == (-np.inf, 8, 6, 5, 1)


def test_sources_at_the_border_are_found_from_the_other_side():
    truth = QTable({"ra": [0.0, 0.0] * u.deg, "dec": [20.1, 50.0] * u.deg})
    detections = QTable({"ra": [0.0, 0.0] * u.deg, "dec": [19.9, 50.0] * u.deg, "score": [2.0, 1]})
    evaluation = evaluate_detections(
        detections,
        truth,
        selected=truth["dec"] > 20 * u.deg,
        counted=detections["dec"] > 20 * u.deg,
    )
    assert astuple(rates(evaluation)) == (-np.inf, 1, 1, 2, 2)


def test_one_radius_for_each_detection(sky):
    detections, truth = sky
    detections["dec"] -= 0.3 * u.deg
    radius = np.where(np.arange(8) < 2, 0.5, 0.1) * u.deg
    assert rates(evaluate_detections(detections, truth, radius=radius)).n_found == 2


def test_nothing_detected_and_nothing_there(sky):
    detections, truth = sky
    nothing = rates(evaluate_detections(detections[:0], truth))
    assert nothing.completeness == 0
    assert np.isnan(nothing.purity)
    assert len(score_curve(evaluate_detections(detections[:0], truth))) == 0
    void = rates(evaluate_detections(detections, truth[:0]))
    assert void.purity == 0
    assert np.isnan(void.completeness)


def test_bad_input_is_named(sky):
    detections, truth = sky
    with pytest.raises(TableError, match="no column TS"):
        evaluate_detections(detections, truth, score="TS")
    with pytest.raises(OptionError, match="selected"):
        evaluate_detections(detections, truth, selected=[0, 1])
    with pytest.raises(OptionError, match="purity is 90"):
        completeness_at_purity(evaluate_detections(detections, truth), purity=90)
    detections["score"][0] = np.nan
    with pytest.raises(TableError, match="column score"):
        evaluate_detections(detections, truth)


def test_interval_of_the_completeness_follows_the_binomial():
    rng = np.random.default_rng(2)
    truth = grid_table(600)
    detections = grid_table(600, score=np.ones(600))[rng.random(600) < 0.5]
    evaluation = evaluate_detections(detections, truth)
    low, high = bootstrap_interval(
        evaluation, lambda e: rates(e).completeness, rng=np.random.default_rng(3), n_draws=400
    )
    assert low < 0.5 < high
    assert (high - low) / 2 == pytest.approx(np.sqrt(0.25 / 600), rel=0.25)


def test_interval_is_fixed_by_the_seed(sky):
    evaluation = evaluate_detections(*sky)
    one, two = (
        bootstrap_interval(evaluation, lambda e: rates(e).purity, rng=np.random.default_rng(4))
        for _ in range(2)
    )
    assert one == two
    with pytest.raises(OptionError, match="0 draws"):
        bootstrap_interval(evaluation, lambda e: 0.0, rng=np.random.default_rng(4), n_draws=0)


def test_few_regions_tell_no_interval():
    positions = {"ra": [10.0, 11.0, 10.5] * u.deg, "dec": [10.0, 10.0, 10.5] * u.deg}
    truth = QTable(positions)
    image = evaluate_detections(QTable({**positions, "score": [1.0, 2.0, 3.0]})[:2], truth)
    ends = bootstrap_interval(
        image,
        lambda e: np.array([rates(e).completeness, rates(e).purity]),
        rng=np.random.default_rng(6),
    )
    assert np.shape(ends) == (2, 2)
    assert np.isnan(ends).all()


def test_regions_are_drawn_whole(sky):
    evaluation = evaluate_detections(*sky)
    drawn = resample(evaluation, rng=np.random.default_rng(5))
    blocks = np.union1d(evaluation.source_block, evaluation.detection_block)
    times = {}
    for block in blocks:
        here = drawn.source_times[evaluation.source_block == block]
        there = drawn.detection_times[evaluation.detection_block == block]
        (times[block],) = set(here) | set(there)
    assert sum(times.values()) == len(blocks)


def test_rows_that_count_twice_are_two(sky):
    once = evaluate_detections(*sky)
    twice = once.counting(np.full(8, 2), np.full(10, 2))
    assert astuple(completeness_at_purity(twice, purity=0.85)) == (5.0, 14, 12, 20, 12)
    uneven = once.counting(np.array([0, 1, 1, 1, 1, 1, 3, 0]), np.arange(10))
    curve = score_curve(uneven)
    for row in curve:
        expected = rates(uneven, cut=row["cut"])
        assert (row["n_detections"], row["n_matched"]) == astuple(expected)[1:3]
        assert row["n_found"] == expected.n_found
    assert curve["cut"].max() == 9


def test_a_selection_after_matching_is_one_before_it(sky):
    detections, truth = sky
    selected, counted = np.arange(10) % 2 == 0, np.arange(8) < 7
    before = evaluate_detections(detections, truth, selected=selected, counted=counted)
    after = evaluate_detections(detections, truth).select(selected=selected, counted=counted)
    assert astuple(rates(before)) == astuple(rates(after)) == (-np.inf, 7, 6, 5, 3)


def test_offsets_of_gaussian_errors_are_contained_as_they_should():
    rng = np.random.default_rng(6)
    truth = grid_table(600)
    there = SkyCoord(truth["ra"], truth["dec"])
    sigma = rng.uniform(0.01, 0.05, 600)
    here = there.directional_offset_by(
        rng.uniform(0, 360, 600) * u.deg, rng.rayleigh(sigma) * u.deg
    )
    detections = QTable({"ra": here.ra, "dec": here.dec})
    detections["pos_err"] = sigma * np.sqrt(2 * np.log(1 / 0.32)) * u.deg
    offsets = measure_offsets(detections, truth)
    assert len(offsets.separation) == 600
    assert offsets.within_68 == pytest.approx(0.68, abs=0.06)
    assert offsets.within_95 == pytest.approx(0.95, abs=0.03)
    assert offsets.median.to_value("deg") == pytest.approx(0.03 * 1.177, rel=0.15)
    assert np.isnan(measure_offsets(detections, truth, error="none").within_68)
    detections["pos_err"] = detections["pos_err"].to_value("deg")
    assert measure_offsets(detections, truth).within_68 == offsets.within_68


@pytest.mark.parametrize(
    ("score", "fault"),
    [
        (MaskedColumn([30, 5], mask=[False, True]), "has values that are not finite"),
        (np.array(["high", "low"]), "is not a score"),
        ([3.0, 4.0] * u.deg, "is not a score"),
    ],
)
def test_scores_that_are_missing_or_no_numbers_are_refused(score, fault):
    with pytest.raises(TableError, match=f"column score of the detections {fault}"):
        evaluate_detections(grid_table(2, score=score), grid_table(5))


def test_the_number_of_false_detections_between_known_scores_is_interpolated():
    known = {"9": 100.0, "11": 36.0, "13": 0.0}
    assert expected_false_above(known, 5) == 100.0
    assert expected_false_above(known, 10) == 60.0
    assert expected_false_above(known, 20) == 0.0
