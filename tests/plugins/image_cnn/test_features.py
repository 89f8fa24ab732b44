from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.fitting.image.point_source import density_of_likes, point_source_fit
from gammafind.plugins.image_cnn.features import (
    N_CHANNELS,
    N_NUMBERS,
    features,
)
from tests.plugins.image_cnn.helpers import toy_stamps


def test_the_flux_of_a_star_is_fitted():
    flux, ratio, core = point_source_fit(toy_stamps(2000))
    assert np.mean(flux[::2]) == pytest.approx(500, rel=0.01)
    assert np.std(flux[::2]) == pytest.approx(500 / np.mean(ratio[::2]), rel=0.1)
    assert core.sum(axis=(1, 2)) == pytest.approx(np.pi * 4**2, rel=0.1)


def test_a_star_leaves_noise_and_a_hot_pixel_does_not():
    images, numbers = features(toy_stamps(200))
    assert images.shape == (200, 25, 25, N_CHANNELS)
    assert numbers.shape == (200, N_NUMBERS)
    left = np.abs(np.sinh(images[:, 12, 12, 1]))
    assert np.median(left[::2]) < 1 < 20 < np.median(left[1::2])
    assert numbers[1::2, 2].min() > numbers[::2, 2].max()


def test_pixels_that_are_not_known_or_full_are_not_fitted():
    stamps = toy_stamps(200)
    stamps["flags"][:, :, 13:] = 1
    stamps["excess"][:, :, 13:] = 1e4
    stamps["flags"][:, :8] = -1
    stamps["excess"][:, :8] = 0
    flux, _, _ = point_source_fit(stamps)
    assert np.mean(flux[::2]) == pytest.approx(500, rel=0.05)


def test_stamps_without_data_give_numbers():
    stamps = toy_stamps(3)
    stamps["flags"][:] = -1
    stamps["excess"][:] = 0
    assert all(np.isfinite(array).all() for array in features(stamps))


def test_noise_is_rarer_than_sources_where_many_are_alike():
    ratio = np.array([5.0, 5.2, 4.9, 5.1, 20.0, 5.0])
    found = np.array([True] * 5 + [False])
    density = density_of_likes(ratio, found, np.full(6, 4.0), 1000)
    assert_allclose(density, np.array([4.5, 4.5, 4.5, 4.5, 1.5, 4.5]) * 16 / 200)
