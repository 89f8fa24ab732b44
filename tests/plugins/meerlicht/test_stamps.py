"""Stars in an image."""

from __future__ import annotations

import numpy as np
import pytest
from photutils.psf import MoffatPSF

from gammafind.plugins.meerlicht.moffat import alpha_of, field_psf, peak_of, radius_of
from gammafind.plugins.meerlicht.stars import add_stamp, draw_stars


def drawn(x, y, electrons, fwhm=5.0, beta=3.0, shape=(81, 91)):
    image = np.zeros(shape, dtype=np.float32)
    values = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (x, y, electrons, fwhm))
    draw_stars(image, *values, beta=beta)
    return image


def test_a_star_is_the_moffat_profile_of_photutils():
    image = drawn(44.3, 39.8, 1e6)
    y, x = np.indices(image.shape)
    theirs = MoffatPSF(flux=1e6, x_0=44.3, y_0=39.8, alpha=alpha_of(5.0, 3.0), beta=3.0)
    core = np.s_[25:55, 30:60]
    assert image[core] == pytest.approx(theirs(x, y)[core], rel=1e-4)


def test_a_star_holds_its_electrons_and_has_its_width():
    image = drawn(45.0, 40.0, 1e5)
    assert image.sum() == pytest.approx(1e5, rel=0.01)
    half = 40 + 2.5
    profile = image[:, 45]
    assert np.interp(half, np.arange(81), profile) == pytest.approx(profile[40] / 2, rel=0.03)


def test_stars_add_up_and_those_outside_shine_in():
    one, other = drawn(44, 40, 1e4), drawn(-3, 40, 1e4)
    both = drawn([44, -3], [40, 40], [1e4, 1e4], [5.0, 5.0])
    assert both == pytest.approx(one + other)
    assert other[40, 0] > other[40, 5] > 0


def test_no_light_leaves_the_image_dark():
    assert not drawn(44, 40, 0.0).any()


def test_a_stamp_beyond_the_image_changes_nothing():
    image = np.zeros((5, 5), dtype=np.float32)
    add_stamp(image, np.ones((3, 3), dtype=np.float32), 7, -9)
    assert not image.any()


def test_the_profile_on_the_sky_is_that_of_the_image():
    psf = field_psf(5.0, 3.0, np.array([1, 0, 0, 0, 0, 0.0]), (100, 100), 1e-6)
    peak = psf(0.0) * 1e-12
    assert peak == pytest.approx(peak_of(alpha_of(5.0, 3.0), 3.0), rel=1e-3)
    assert psf(2.5e-6) == pytest.approx(psf(0.0) / 2, rel=2e-3)


def test_a_radius_has_its_brightness():
    alpha = alpha_of(5.0, 3.0)
    radius = radius_of(1e-3, alpha, 3.0)
    assert (1 + (radius / alpha) ** 2) ** -3.0 == pytest.approx(1e-3)
