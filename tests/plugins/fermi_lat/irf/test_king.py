from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from gammafind.plugins.fermi_lat.irf.king import core_fraction, double_king, king, scale_factor


@given(st.floats(0.1, 3), st.floats(1.5, 8))
def test_king_is_normalised_over_the_plane(sigma, gamma):
    total, _ = quad(lambda x: 2 * np.pi * x * king(x, sigma, gamma), 0, np.inf, limit=200)
    assert total == pytest.approx(1, rel=1e-6)


def test_king_becomes_a_gaussian_for_a_large_index():
    x = np.linspace(0, 3, 7)
    np.testing.assert_allclose(king(x, 1.0, 1e6), np.exp(-(x**2) / 2) / (2 * np.pi), rtol=1e-4)


def test_double_king_is_normalised_and_shared_between_core_and_tail():
    parameters = (0.05, 0.35, 0.9, 2.8, 2.6)
    total, _ = quad(lambda x: 2 * np.pi * x * double_king(x, *parameters), 0, np.inf)
    assert total == pytest.approx(1, rel=1e-6)
    share = core_fraction(*parameters[:3])
    assert share == pytest.approx(1 / (1 + 0.05 * 0.81 / 0.1225))
    far = 50.0
    tail_only = (1 - share) * king(far, 0.9, 2.6)
    assert double_king(far, *parameters) == pytest.approx(tail_only, rel=0.05)


def test_scale_factor_runs_from_scattering_to_resolution():
    assert scale_factor(100.0, 0.0638, 0.00126, 0.8) == pytest.approx(0.0638, rel=1e-3)
    assert scale_factor(1e6, 0.0638, 0.00126, 0.8) == pytest.approx(0.00126, rel=1e-3)
    assert scale_factor(1e3, 0.0638, 0.0, 0.8) == pytest.approx(0.0638 * 10**-0.8)
