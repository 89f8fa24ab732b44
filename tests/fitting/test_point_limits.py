"""Limit of the measurement of a point source."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.fitting.image.point_limits import signal_to_noise
from gammafind.sky.psf import RadialPsf

SIGMA = 2.5
PIXEL = 1e-6
THETA = np.linspace(0, 25 * PIXEL, 2000)
GAUSS = RadialPsf(THETA, np.exp(-0.5 * (THETA / (SIGMA * PIXEL)) ** 2))


def test_the_limit_on_a_bright_sky_is_that_of_a_gaussian():
    flux, noise = np.array([100.0]), 50.0
    ratio = signal_to_noise(GAUSS, PIXEL, flux, noise)
    assert ratio == pytest.approx(flux / noise / (2 * np.sqrt(np.pi) * SIGMA), rel=0.01)


def test_the_limit_of_a_bright_source_is_that_of_its_photons():
    flux = np.array([1e6])
    assert signal_to_noise(GAUSS, PIXEL, flux, 1e-3) == pytest.approx(1e3, rel=0.01)
