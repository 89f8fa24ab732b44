from __future__ import annotations

import numpy as np
from class_metrics import bootstrap, expected_calibration_error, merge_classes, reliability
from numpy.testing import assert_allclose


def test_classes_are_merged_or_left_out():
    merged = merge_classes(np.array([[0.2, 0.3, 0.4, 0.1]]), [[0, 1], [3]])
    assert_allclose(merged, [[5 / 6, 1 / 6]])


def test_true_probabilities_are_reliable_and_bold_ones_are_not():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.5, 1, 50_000)
    truth = (rng.random(50_000) > p).astype(int)
    probability = np.stack([p, 1 - p], axis=1)
    assert expected_calibration_error(truth, probability) < 0.01
    bold = np.stack([p**0.2, 1 - p**0.2], axis=1)
    assert_allclose(
        expected_calibration_error(truth, bold), np.mean(p**0.2) - np.mean(p), atol=0.01
    )


def test_bins_without_sources_are_left_out():
    probability = np.array([[0.55, 0.45], [0.57, 0.43], [1.0, 0.0]])
    predicted, true, number = reliability(np.array([0, 1, 0]), probability)
    assert_allclose(predicted, [0.56, 1])
    assert_allclose(true, [0.5, 1])
    assert number.tolist() == [2, 1]


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
