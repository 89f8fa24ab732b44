"""Local maxima."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gammafind.errors import OptionError
from gammafind.plugins.clusterers.peaks import PeaksClusterer
from gammafind.plugins.clusterers.refine import centroid, quadratic_peak
from tests.plugins.clusterers.maps import ts_map


def test_the_same_peaks_as_photutils():
    from photutils.detection import find_peaks

    image = ts_map([(20, 30), (64, 70), (90, 20)], peak=20)
    found = PeaksClusterer(threshold=4, min_separation=1.5, refine="none").cluster(image)
    expected = find_peaks(image, np.nextafter(4, 0), box_size=3)
    here = sorted(zip(found["x"].value, found["y"].value, strict=True))
    there = sorted(zip(expected["x_peak"], expected["y_peak"], strict=True))
    assert here == there
    assert len(here) > 3


def test_a_peak_at_the_threshold_counts():
    image = np.zeros((9, 9))
    image[4, 4] = 16
    assert len(PeaksClusterer(threshold=16).cluster(image)) == 1
    assert len(PeaksClusterer(threshold=16.01).cluster(image)) == 0


def test_the_lower_of_two_peaks_within_the_separation_is_left_out():
    image = np.zeros((20, 20))
    image[10, 8], image[10, 12] = 20, 19
    assert len(PeaksClusterer(threshold=5, min_separation=3).cluster(image)) == 2
    found = PeaksClusterer(threshold=5, min_separation=4).cluster(image)
    assert list(found["score"]) == [20]


def test_a_shelf_on_a_slope_is_no_peak():
    image = np.zeros((15, 15))
    image[3:12, 3:12] = 5
    image[11, 12] = 9
    found = PeaksClusterer(threshold=1, refine="none").cluster(image)
    assert (found["x"][0].value, found["y"][0].value, len(found)) == (12, 11, 1)


@given(x=st.floats(-0.49, 0.49), y=st.floats(-0.49, 0.49), tilt=st.floats(-0.8, 0.8))
def test_the_vertex_of_a_quadratic_is_exact(x, y, tilt):
    row, column = np.indices((7, 7))
    dx, dy = column - 3 - x, row - 3 - y
    image = 10 - dx**2 - dy**2 - tilt * dx * dy
    assert quadratic_peak(image, 3, 3) == pytest.approx((3 + y, 3 + x), abs=1e-9)


@pytest.mark.parametrize("pixel", [(0, 3), (3, 0), (6, 3), (3, 6)])
def test_no_quadratic_is_fitted_at_the_border(pixel):
    assert quadratic_peak(np.random.default_rng(0).random((7, 7)), *pixel) == pixel


def test_a_saddle_has_no_vertex():
    row, column = np.indices((5, 5))
    assert quadratic_peak((column - 2.0) ** 2 - (row - 2.0) ** 2, 2, 2) == (2, 2)


def test_the_centroid_ignores_negative_values_and_what_is_far():
    image = np.full((21, 21), -1.0)
    image[10, 10], image[10, 12], image[20, 20] = 3, 1, 100
    assert centroid(image, 10, 10, 5) == (10, 10.5)
    assert centroid(-np.ones((5, 5)), 2, 2, 2) == (2, 2)


def test_peaks_of_a_gaussian_are_placed_within_a_tenth_of_a_pixel():
    row, column = np.indices((40, 40))
    image = 100 * np.exp(-((column - 20.3) ** 2 + (row - 18.8) ** 2) / (2 * 2.5**2))
    found = PeaksClusterer(threshold=16).cluster(image)
    assert found["x"][0].value == pytest.approx(20.3, abs=0.1)
    assert found["y"][0].value == pytest.approx(18.8, abs=0.1)


@pytest.mark.parametrize(
    "options",
    [{"threshold": -1}, {"min_separation": 1}, {"smoothing": -0.1}, {"refine": "centroid"}],
)
def test_options_out_of_range_are_named(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        PeaksClusterer(**options)
