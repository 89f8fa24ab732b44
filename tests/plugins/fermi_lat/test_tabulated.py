"""Integrals of tables that are power laws between their nodes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from gammafind.plugins.fermi_lat.tabulated import (
    interpolate,
    segment_integral,
    segments,
    table_integral,
)

NODES = np.geomspace(30, 1e6, 12)


@given(index=st.floats(-1, 4), low=st.floats(31, 1e4), factor=st.floats(1.01, 90))
def test_integral_of_a_power_law_is_the_closed_form(index, low, factor):
    high = low * factor
    x = 1 - index
    closed = np.log(factor) if abs(x) < 1e-9 else low**x * np.expm1(x * np.log(factor)) / x
    assert_allclose(table_integral(low, high, NODES, NODES**-index), closed, rtol=1e-6)


def test_interpolation_of_a_power_law_is_exact():
    at = np.array([30.0, 77.0, 5e4, 1e6])
    assert_allclose(interpolate(at, NODES, NODES**-2.4), at**-2.4, rtol=1e-12)


def test_integral_is_additive_across_nodes():
    values = NODES**-2.0 * (1 + 0.5 * np.sin(np.arange(12)))
    whole = table_integral(50, 5e5, NODES, values)
    parts = [table_integral(a, b, NODES, values) for a, b in ((50, 300), (300, 1e4), (1e4, 5e5))]
    assert_allclose(sum(parts), whole, rtol=1e-13)


def test_a_value_of_zero_is_taken_as_linear():
    first, second = np.array([0.0, 1.0]), np.array([2.0, 1.0])
    found = segment_integral((1.0, 3.0), (first, second), 1.0, 2.0)
    assert_allclose(found, [0.5, 1.0])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(1, 8, [0, 1, 2]), (2, 4, [1]), (3, 3.5, [1]), (1.5, 2, [0]), (1.5, 2.1, [0, 1])],
)
def test_only_segments_within_the_band_are_used(low, high, expected):
    assert list(segments(low, high, np.array([1.0, 2.0, 4.0, 8.0]))) == expected
