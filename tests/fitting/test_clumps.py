"""Points, clumps, and several templates fitted together."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from gammafind.fitting.photons.clumps import clump_height, clump_profile, fit_clumps
from gammafind.fitting.photons.mixture import fit_mixture
from gammafind.sky.harmonics import SIGMA_OF_FWHM
from tests.fitting.skies import gaussian_psf, king_psf

AXIS = np.arange(-20, 21) * 0.06
R = np.hypot(*np.meshgrid(AXIS, AXIS)).ravel()
"""Degrees from the middle of a stamp."""
LEVEL = 5.0


def gaussian(fwhm):
    return np.exp(-4 * np.log(2) * (R / fwhm) ** 2)


POINT = gaussian(0.2) / gaussian(0.2).sum()
WIDTHS = (0.5, 1.1)
CLUMPS = [LEVEL * gaussian(np.hypot(width, 0.2)) for width in WIDTHS]


def drawn(expected, n, seed):
    return np.random.default_rng(seed).poisson(expected, (n, len(R))).astype(float)


def test_a_mixture_is_fitted_as_by_a_minimiser():
    counts = drawn(1.2 * LEVEL + 40 * POINT + 0.8 * CLUMPS[0], 3, 1)
    model = np.full_like(counts, LEVEL)
    templates = [np.tile(POINT, (3, 1)), model, np.tile(CLUMPS[0], (3, 1))]
    spread = np.array([np.inf, 0.3, 1.0])
    gain, amplitude = fit_mixture(counts, model, templates, np.zeros((3, 3)), spread)
    for row in range(3):

        def cost(x, row=row):
            added = sum(a * t[row] for a, t in zip(x, templates, strict=True))
            gained = counts[row] @ np.log1p(added / model[row]) - added.sum()
            return -2 * gained + np.sum((x / spread) ** 2)

        best = minimize(cost, [30, 0.1, 0.5], method="Nelder-Mead", options={"xatol": 1e-5})
        assert_allclose(gain[row], -best.fun, atol=0.05)
        assert_allclose((amplitude[row] - best.x) / [30, 0.3, 1], 0, atol=0.05)


def test_a_wild_start_ends_at_the_maximum():
    counts = drawn(LEVEL + 400 * POINT, 2, 2)
    model = np.full_like(counts, LEVEL)
    templates = [np.tile(POINT, (2, 1)), model]
    spread = np.array([np.inf, 0.3])
    near, _ = fit_mixture(counts, model, templates, np.array([[400.0, 0]] * 2), spread)
    far, _ = fit_mixture(counts, model, templates, np.array([[0.0, 0], [9000, 2]]), spread)
    assert_allclose(near, far, atol=0.05)


def compared(expected, seed=3, n=200):
    counts = drawn(expected, n, seed)
    model = np.full_like(counts, LEVEL)
    clumps = [np.tile(clump, (n, 1)) for clump in CLUMPS]
    return fit_clumps(counts, model, np.tile(POINT, (n, 1)), clumps, np.full(n, 10.0))


def test_a_point_is_a_point_and_a_clump_a_clump():
    point, clump = compared(LEVEL + 60 * POINT), compared(LEVEL + CLUMPS[1])
    assert np.median(point.point[:, 1]) > 20
    assert np.all(np.median(clump.point, axis=0) < 3)
    assert np.median(clump.clump[:, 1]) > 100
    assert np.median(point.clump[:, 1]) < np.median(point.point[:, 1])


def test_where_there_is_nothing_a_point_gains_as_chance_has_it():
    nothing = compared(np.full(len(R), LEVEL), n=1000)
    assert_allclose(np.mean(nothing.point > 3.84, axis=0), 0.025, atol=0.02)
    assert np.all(nothing.point >= 0)


def test_a_background_that_is_too_low_makes_no_points():
    brighter = compared(np.full(len(R), 1.2 * LEVEL))
    assert np.quantile(brighter.point, 0.95) < 6


@pytest.mark.parametrize("psf", [gaussian_psf(0.1), king_psf(0.2)])
def test_the_profile_of_a_clump_has_its_width(psf):
    profile = clump_profile(psf, 0.9)
    angle = np.radians(np.linspace(0, 1, 40))
    narrow = clump_profile(gaussian_psf(0.01), 0.9)
    expected = np.exp(-((np.degrees(angle) / (0.9 * SIGMA_OF_FWHM)) ** 2) / 2)
    assert_allclose(narrow(angle) / narrow(0.0), expected, atol=0.01)
    assert profile.fwhm > narrow.fwhm
    assert_allclose(narrow(0.0) * clump_height(0.9), 1, rtol=0.01)
