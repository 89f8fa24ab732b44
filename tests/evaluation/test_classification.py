from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.errors import ShapeError
from gammafind.evaluation.classification import (
    accuracy,
    area_under_curve,
    bootstrap,
    class_accuracies,
    confusion,
    expected_calibration_error,
    macro_area,
    merge_classes,
    reliability,
)

TRUTH = np.array([0, 0, 0, 1, 1, 2])
NAMED = np.array([0, 0, 1, 1, 2, 2])


def test_the_confusion_counts_true_and_named():
    assert_array_equal(confusion(TRUTH, NAMED, 3), [[2, 1, 0], [0, 1, 1], [0, 0, 1]])


def test_accuracies():
    assert accuracy(TRUTH, NAMED) == pytest.approx(4 / 6)
    assert_allclose(class_accuracies(TRUTH, NAMED, 4), [2 / 3, 0.5, 1, np.nan])
    assert np.isnan(accuracy(TRUTH[:0], NAMED[:0]))


def test_the_area_is_the_share_of_pairs_in_order():
    positive = np.array([True, True, False, False])
    assert area_under_curve(positive, np.array([4.0, 2.0, 3.0, 1.0])) == 0.75
    assert area_under_curve(positive, np.array([1.0, 1.0, 1.0, 1.0])) == 0.5
    assert np.isnan(area_under_curve(positive | True, np.arange(4.0)))


def test_the_macro_area_is_the_mean_over_classes():
    probability = np.eye(3)[TRUTH]
    assert macro_area(TRUTH, probability) == 1
    assert macro_area(TRUTH, np.full((6, 3), 1 / 3)) == 0.5


def test_classes_are_merged_or_left_out():
    merged = merge_classes(np.array([[0.2, 0.3, 0.4, 0.1]]), [[0, 1], [3]])
    assert_allclose(merged, [[5 / 6, 1 / 6]])


def test_true_probabilities_are_reliable_and_bold_ones_are_not():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.5, 1, 50_000)
    truth = (rng.random(50_000) > p).astype(int)
    probability = np.stack([p, 1 - p], axis=1)
    assert expected_calibration_error(truth, probability) < 0.01
    bins = reliability(truth, probability)
    assert bins.number.sum() == 50_000
    assert np.isnan(bins.predicted[0])
    bold = np.stack([p**0.2, 1 - p**0.2], axis=1)
    assert_allclose(
        expected_calibration_error(truth, bold), np.mean(p**0.2) - np.mean(p), atol=0.01
    )


def test_lengths_must_agree():
    with pytest.raises(ShapeError, match="6 true classes for 2 sources"):
        reliability(TRUTH, np.eye(2))


def test_the_interval_holds_the_mean_and_narrows_with_blocks():
    rng = np.random.default_rng(2)
    values = rng.normal(3, 1, 4000)
    widths = []
    for n in (20, 200):
        low, high = bootstrap(
            lambda rows: values[rows].mean(), np.arange(4000) % n, rng=np.random.default_rng(3)
        )
        assert low < values.mean() < high
        widths.append(high - low)
    assert widths[0] < 0.15
