"""Channels, digits, and bleeding charge."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.plugins.meerlicht.detector import Detector, bleed


def detector(**options):
    given = {
        "shape": (20, 40),
        "channels": (2, 4),
        "gains": np.arange(1.0, 9.0),
        "read_noises": np.arange(10.0, 18.0),
        "bias": 1000.0,
        "saturation": 50000.0,
    }
    return Detector(**{**given, **options})


def test_each_pixel_has_the_value_of_its_channel():
    values = detector().of_pixels(np.arange(8), (20, 40), slice(0, 20))
    assert values[0, 0] == 0
    assert values[9, 39] == 3
    assert values[10, 10] == 5


def test_a_smaller_image_is_the_middle():
    values = detector().of_pixels(np.arange(8), (10, 20), slice(0, 10))
    assert values[0].tolist() == [1] * 10 + [2] * 10
    assert values[5, 0] == 5
    assert detector().boundary((10, 20)) == 5


def test_electrons_come_back_to_half_a_digit():
    given = np.random.default_rng(1).uniform(0, 1e4, (20, 40)).astype(np.float32)
    one = detector()
    assert np.abs(one.electrons(one.digitised(given)) - given).max() <= 4.01


def test_digits_end_at_16_bits():
    adu = detector(gains=np.ones(8)).digitised(np.array([[-5e3, 1e6]], dtype=np.float32))
    assert adu.tolist() == [[0, 65535]]
    assert adu.dtype == np.uint16


def test_read_noise_is_that_of_the_channel():
    image = np.zeros((2000, 40), dtype=np.float32)
    detector(shape=(2000, 40)).add_read_noise(image, rng=np.random.default_rng(3))
    assert image[:1000, :10].std() == pytest.approx(10, rel=0.02)
    assert image[1000:, 30:].std() == pytest.approx(17, rel=0.02)


def test_charge_bleeds_up_and_down_and_none_is_lost():
    image = np.zeros((20, 3), dtype=np.float32)
    image[10, 1] = 500.0
    runs = bleed(image, 100.0, 20)
    assert image[:, 1].tolist() == [0] * 8 + [100] * 5 + [0] * 7
    assert image.sum() == 500
    assert runs == [(1, 8, 12)]


def test_charge_is_lost_at_the_boundary_between_halves():
    image = np.zeros((20, 1), dtype=np.float32)
    image[9, 0] = 500.0
    bleed(image, 100.0, 10)
    assert image[:, 0].tolist() == [0] * 7 + [100] * 3 + [0] * 10


def test_nothing_bleeds_below_the_full_well():
    image = np.full((5, 5), 99.0, dtype=np.float32)
    assert bleed(image, 100.0, 5) == []
