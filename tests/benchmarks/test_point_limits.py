"""Limit of the position of a point source, and the fit that reaches it."""

from __future__ import annotations

import numpy as np
import pytest
from point_limits import position_bound

from gammafind.fitting.image.point_fit import fit_points
from gammafind.fitting.image.point_limits import signal_to_noise
from tests.fitting.images import NOISE
from tests.fitting.test_point_fit import scene_of
from tests.fitting.test_point_limits import GAUSS, PIXEL, SIGMA


def test_the_limit_on_a_bright_sky_is_that_of_a_gaussian():
    flux, noise = np.array([100.0]), 50.0
    ratio = signal_to_noise(GAUSS, PIXEL, flux, noise)
    bound = position_bound(GAUSS, PIXEL, flux, noise)
    assert bound == pytest.approx(np.sqrt(2) * SIGMA / ratio, rel=0.01)


def test_the_limit_of_a_bright_source_is_that_of_its_photons():
    bound = position_bound(GAUSS, PIXEL, np.array([1e6]), 1e-3)
    assert bound == pytest.approx(SIGMA / 1e3, rel=0.01)


def test_lone_stars_are_measured_as_well_as_can_be():
    rng = np.random.default_rng(1)
    grid = np.array([16.0, 48.0, 80.0])
    x, y = (rng.uniform(-0.5, 0.5, 9) + at.ravel() for at in np.meshgrid(grid, grid))
    electrons = np.full(9, 4000.0)
    off, pull, errors = [], [], []
    for seed in range(12):
        scene = scene_of(x, y, electrons, seed=seed)
        fit = fit_points(scene, x + rng.normal(0, 0.5, 9), y + rng.normal(0, 0.5, 9))
        off += [fit.x - x, fit.y - y]
        pull.append((fit.electrons - electrons) / fit.electrons_err)
        errors.append(fit.position_err)
    # The sky of these images has no photon noise of the stars.
    bound = position_bound(scene.psf, scene.pixel_size, np.array([1e-3]), NOISE)[0] * 1e-3 / 4000
    assert np.std(off) == pytest.approx(bound, rel=0.2)
    assert np.std(off) < 1.1 * np.mean(errors)
    assert abs(np.mean(off)) < 3 * bound / np.sqrt(len(np.ravel(off)))
    assert abs(np.mean(pull)) < 0.5
