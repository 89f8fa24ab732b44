from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from gammafind.plugins.fermi_lat.irf import read_dispersion
from gammafind.plugins.fermi_lat.irf.dispersion import skewed_bell, width_scale


@given(st.floats(0.5, 3), st.floats(0.4, 2), st.floats(-1, 1), st.floats(0.8, 3))
def test_bell_is_normalised(width, skew, bias, index):
    def bell(x):
        return skewed_bell(x, width, skew, bias, index)

    total = quad(bell, -np.inf, bias)[0] + quad(bell, bias, np.inf)[0]
    assert total == pytest.approx(1, rel=1e-5)


def test_bell_of_index_two_is_a_gaussian():
    x = np.linspace(-2, 2, 5)
    expected = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(skewed_bell(x, np.sqrt(2), 1.0, 0.0, 2.0), expected)


def test_width_scale_is_the_quadratic_of_the_documentation():
    assert width_scale(3.0, 0.5, np.array([1, 2, 3, 4, 5, 6])) == 9 + 0.5 + 9 + 2 + 7.5 + 6


@pytest.mark.parametrize(
    ("energy", "resolution"), [(0.1, 0.21), (1, 0.097), (10, 0.069), (100, 0.089)]
)
def test_resolution_of_the_lat(shared, energy, resolution):
    dispersion = read_dispersion(shared / "fermi/irf/edisp_P8R3_SOURCE_V3_FB.fits", "FRONT")
    measured = np.linspace(1e-3, 3, 6000) * energy * u.GeV
    density = dispersion.density(measured, energy * u.GeV, 0.85)
    cumulative = np.cumsum(density * (measured[1] - measured[0])).to_value("")
    assert cumulative[-1] == pytest.approx(1, abs=1e-3)
    low, high = np.interp([0.16, 0.84], cumulative, measured.value / energy)
    assert (high - low) / 2 == pytest.approx(resolution, rel=0.03)
