"""Magnitudes and photons."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.plugins.meerlicht.filters import FILTERS, magnitude, photon_flux


def test_a_source_of_magnitude_zero_has_the_photons_of_3631_jansky():
    q = FILTERS["q"]
    by_hand = 3.631e-20 / 6.62607e-27 * np.log(720 / 440)
    assert photon_flux(0.0, q) == pytest.approx(by_hand, rel=1e-4)


def test_magnitudes_come_back():
    given = np.array([12.0, 20.5])
    assert magnitude(photon_flux(given, FILTERS["z"]), FILTERS["z"]) == pytest.approx(given)


def test_no_flux_has_no_magnitude():
    assert np.isnan(magnitude(np.array([0.0, -1.0]), FILTERS["q"])).all()
