"""Joint fit of the PSF on stars of known places and fluxes."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.fitting.image.point_fit import fit_points
from gammafind.fitting.image.point_limits import signal_to_noise
from gammafind.fitting.image.scene import scenes_of_image
from tests.fitting.images import NOISE, stars_on_sky

SHAPE = (96, 96)


def scene_of(x, y, electrons, **options):
    """The whole of a small image."""
    sky = stars_on_sky(x, y, electrons, SHAPE, **options)
    return next(iter(scenes_of_image(sky, side=96, margin=0)))


def test_a_faint_star_next_to_a_bright_one_is_found_apart():
    x, y, electrons = np.array([40.0, 45.0]), np.array([50.0, 50.0]), np.array([40000.0, 6000.0])
    scene = scene_of(x, y, electrons)
    fit = fit_points(scene, x + 0.4, y - 0.4)
    assert fit.electrons == pytest.approx(electrons, rel=0.1)
    assert fit.x == pytest.approx(x, abs=0.15)
    assert fit.crowding[1] > 5 * fit.crowding[0] > 5
    alone = fit_points(scene, x[:1], y[:1])
    assert alone.chi2[0] > 2 * fit.chi2[0]


def test_what_is_no_source_gets_no_light():
    scene = scene_of([], [], [])
    fit = fit_points(scene, np.array([30.0]), np.array([30.0]))
    assert abs(fit.electrons[0]) < 4 * fit.electrons_err[0]
    assert np.hypot(fit.x - 30, fit.y - 30)[0] < 3


def test_pixels_that_are_not_valid_and_the_border_do_not_matter():
    x, y, electrons = np.array([20.2, 0.3]), np.array([30.4, 60.0]), np.array([20000.0, 20000.0])
    valid = np.ones(SHAPE, dtype=bool)
    valid[:, 22:25] = False
    fit = fit_points(scene_of(x, y, electrons, valid=valid), np.rint(x), np.rint(y))
    assert fit.x == pytest.approx(x, abs=0.1)
    assert fit.electrons == pytest.approx(electrons, rel=0.05)


def test_nothing_to_fit_is_no_error():
    nothing = fit_points(scene_of([], [], []), np.zeros(0), np.zeros(0))
    assert len(nothing.x) == len(nothing.chi2) == 0


def test_the_filter_gives_the_signal_to_noise_ratio_of_a_star():
    scene = scene_of([40.0], [50.0], [3000.0], seed=2)
    expected = signal_to_noise(scene.psf, scene.pixel_size, np.array([1e-3]), NOISE)[0] * 3e6
    assert scene.matched_snr[50, 40] == pytest.approx(expected, rel=0.15)
    assert np.std(scene.matched_snr[:30]) == pytest.approx(1, abs=0.15)
