"""Limits of the measurement of a point source."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.fitting.image.point_limits import position_bound, signal_to_noise
from gammafind.sky.psf import RadialPsf

SIGMA = 2.5
PIXEL = 1e-6
THETA = np.linspace(0, 25 * PIXEL, 2000)
GAUSS = RadialPsf(THETA, np.exp(-0.5 * (THETA / (SIGMA * PIXEL)) ** 2))


def test_limits_on_a_bright_sky_are_those_of_a_gaussian():
    flux, noise = np.array([100.0]), 50.0
    ratio = signal_to_noise(GAUSS, PIXEL, flux, noise)
    assert ratio == pytest.approx(flux / noise / (2 * np.sqrt(np.pi) * SIGMA), rel=0.01)
    bound = position_bound(GAUSS, PIXEL, flux, noise)
    assert bound == pytest.approx(np.sqrt(2) * SIGMA / ratio, rel=0.01)


def test_limits_of_a_bright_source_are_those_of_its_photons():
    flux = np.array([1e6])
    assert signal_to_noise(GAUSS, PIXEL, flux, 1e-3) == pytest.approx(1e3, rel=0.01)
    assert position_bound(GAUSS, PIXEL, flux, 1e-3) == pytest.approx(SIGMA / 1e3, rel=0.01)
