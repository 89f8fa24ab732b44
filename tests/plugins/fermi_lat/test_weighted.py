"""Integrals over energy of tabulated maps, with and without a weight."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.plugins.fermi_lat.weighted import plane_integral, weighted_integral

NODES = np.array([1.0, 3.0, 10.0, 40.0])
SLOPES = np.array([-1.0, -2.3, -3.1])
PLANES = NODES[:, None] ** SLOPES


def power_law(low, high, slopes):
    at = np.geomspace(low, high, 20_001)[:, None]
    return np.trapezoid(at**slopes, at, axis=0)


@pytest.mark.parametrize(("low", "high"), [(1, 40), (2, 5), (4, 6), (1, 300), (50, 90)])
def test_power_laws_are_integrated_and_continue_above_the_last_energy(low, high):
    found = plane_integral(NODES, PLANES.__getitem__, low, high)
    assert_allclose(found, power_law(low, high, SLOPES), rtol=1e-6)


@pytest.mark.parametrize(("low", "high"), [(1, 40), (2, 5), (0.3, 300)])
def test_a_weight_that_is_itself_a_power_law(low, high):
    energy = np.geomspace(low, high, 200)
    found = weighted_integral(NODES, PLANES.__getitem__, (energy, energy**0.5))
    assert_allclose(found, power_law(low, high, SLOPES + 0.5), rtol=2e-4)


def test_a_weight_of_zero_gives_nothing_where_it_is_zero():
    energy, weight = np.array([2.0, 5.0, 5.001, 30.0]), np.array([1.0, 1.0, 0.0, 0.0])
    found = weighted_integral(NODES, PLANES.__getitem__, (energy, weight))
    assert_allclose(found, power_law(2, 5, SLOPES), rtol=1e-3)


def test_planes_with_zeros_are_linear_in_energy():
    planes = np.array([[0.0], [2.0]])
    ends = np.array([1.0, 3.0])
    assert_allclose(plane_integral(ends, planes.__getitem__, 1, 3), [2])
    assert_allclose(weighted_integral(ends, planes.__getitem__, (ends, np.ones(2))), [2])
