from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.plugins.cnn.features import (
    features,
    images,
    n_channels,
    n_numbers,
    numbers,
    without_times,
)
from tests.plugins.cnn.helpers import EDGES, toy_arrays


@pytest.mark.parametrize("n_epochs", [0, 3])
def test_shapes_are_those_that_are_told(n_epochs):
    arrays = toy_arrays(n_epochs=n_epochs)
    seen, row, place = features(arrays, EDGES, time=n_epochs > 0)
    assert seen.shape == (20, 7, 7, n_channels(2, n_epochs))
    assert row.shape == (20, n_numbers(2, n_epochs))
    assert place.shape == (20, 2)
    assert all(np.isfinite(a).all() and a.dtype == np.float32 for a in (seen, row, place))


def test_a_pixel_as_expected_has_no_significance():
    arrays = toy_arrays()
    arrays["counts"] = arrays["background"]
    assert_allclose(images(arrays, time=False), 0, atol=1e-6)


def test_detections_do_not_depend_on_those_beside():
    arrays = toy_arrays()
    some = {name: array[3:5] for name, array in arrays.items()}
    for all_, part in zip(
        features(arrays, EDGES, time=True), features(some, EDGES, time=True), strict=True
    ):
        assert_allclose(all_[3:5], part, rtol=1e-5, atol=1e-6)


def test_positions_run_from_minus_one_to_one():
    arrays = toy_arrays(4)
    arrays["position"] = np.array([[0, 0], [180.1, 90], [179.9, -90], [270, 45]], np.float32)
    place = features(arrays, EDGES, time=False)[2]
    assert_allclose(place[:, 0], [0, -1, 1, -0.5], atol=1e-3)
    assert_allclose(place[:, 1], [0, 1, -1, 0.5])


@pytest.mark.parametrize("name", ["score", "pos_err"])
def test_what_the_localiser_does_not_tell_is_filled(name):
    arrays = toy_arrays()
    arrays[name] = np.full(20, np.nan, np.float32)
    assert np.isfinite(numbers(arrays, EDGES, time=True)).all()


def test_no_data_and_bright_sources_give_finite_numbers():
    arrays = toy_arrays()
    arrays["spectrum"][0], arrays["spectrum_err"][0] = 0, 1e30
    arrays["light_curve"][0], arrays["light_curve_err"][0] = 0, 1e30
    arrays["spectrum"][1], arrays["light_curve"][1] = 1e7, 1e7
    assert np.isfinite(numbers(arrays, EDGES, time=True)).all()


def test_variability_shows():
    arrays = toy_arrays(2)
    arrays["light_curve"] = np.array([[100, 100, 100], [10, 500, 100]], np.float32)
    steady, varying = numbers(arrays, EDGES, time=True)
    without = n_numbers(2, 0)
    assert steady[without] < 0.1
    assert varying[without] > 3


def test_shuffled_photons_stay_where_they_are_and_vary_no_more():
    arrays = toy_arrays(400)
    arrays["light_curve"][:, 0] += 500
    shuffled = without_times(arrays, rng=np.random.default_rng(1))
    assert_array_equal(shuffled["epoch_counts"].sum(axis=1), arrays["epoch_counts"].sum(axis=1))
    assert_allclose(shuffled["epoch_counts"].mean(), arrays["epoch_counts"].mean())
    pull = (shuffled["light_curve"] - shuffled["light_curve"].mean(axis=1, keepdims=True)) / 30
    assert_allclose(pull.std(), np.sqrt(2 / 3), atol=0.05)
    assert_array_equal(shuffled["counts"], arrays["counts"])
