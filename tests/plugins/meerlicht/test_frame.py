"""One exposure: photons, artefacts, digits."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.plugins.meerlicht.artefacts import (
    Flag,
    add_cosmic_rays,
    add_hot_pixels,
    add_trail,
    draw_trails,
)
from gammafind.plugins.meerlicht.detector import Detector
from gammafind.plugins.meerlicht.frame import Artefacts, artefact_table, draw_frame

CCD = Detector(
    shape=(128, 128),
    channels=(1, 1),
    gains=np.array([2.0]),
    read_noises=np.array([10.0]),
    bias=1000.0,
    saturation=50000.0,
)


def frame(seed=1, level=200.0, **artefacts):
    expected = np.full((128, 128), level, dtype=np.float32)
    rng = np.random.default_rng(seed)
    return draw_frame(expected, CCD, Artefacts(**artefacts), fwhm=5.0, beta=3.0, rng=rng)


def blank():
    return np.zeros((100, 120), dtype=np.float32), np.zeros((100, 120), dtype=np.uint8)


def test_a_seed_fixes_the_frame():
    one, again, other = (frame(seed, cosmic_rays=3.0)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_the_noise_is_that_of_photons_and_read_out():
    electrons = CCD.electrons(frame()[0])
    assert electrons.mean() == pytest.approx(200, abs=0.6)
    assert electrons.std() == pytest.approx(np.sqrt(200 + 100), rel=0.02)


def test_a_frame_without_artefacts_has_none_in_its_truth():
    _, mask, streaks = frame()
    assert not mask.any()
    assert len(artefact_table(streaks)) == 0
    assert artefact_table(streaks).colnames == ["kind", "x", "y", "x_end", "y_end", "electrons"]


def test_a_full_frame_is_saturated():
    adu, mask, _ = frame(level=3e5)
    assert np.all(mask & Flag.SATURATED)
    assert adu.max() <= 51100


def test_cosmic_rays_leave_their_charge_in_the_mask():
    image, mask = blank()
    tracks = add_cosmic_rays(image, mask, 30.0, rng=np.random.default_rng(5))
    assert image.sum() == pytest.approx(sum(t.electrons for t in tracks), rel=0.1)
    assert image[mask == Flag.COSMIC_RAY].sum() > 0.98 * image.sum()
    assert set(np.unique(mask)) == {0, Flag.COSMIC_RAY}


def test_hot_pixels_are_single():
    image, mask = blank()
    hot = add_hot_pixels(image, mask, 20.0, rng=np.random.default_rng(5))
    assert np.count_nonzero(image) == np.count_nonzero(mask) == len(hot)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.3, np.pi / 2, 2.8])
def test_a_trail_has_its_light_for_each_pixel_of_length(angle):
    image, mask = blank()
    streak = add_trail(image, mask, (60.0, 50.0, angle, 100.0), 4.0, beta=3.0)
    length = np.hypot(streak.x_end - streak.x, streak.y_end - streak.y)
    assert image.sum() / length == pytest.approx(100, rel=0.06)
    assert mask[50, 60] == Flag.TRAIL


def test_a_trail_that_misses_is_none():
    image, mask = blank()
    assert add_trail(image, mask, (60.0, 900.0, 0.1, 100.0), 4.0, beta=3.0) is None
    assert not image.any()


def test_lines_pass_through_the_circle_about_the_image():
    lines = draw_trails((100, 100), 300.0, rng=np.random.default_rng(1))
    x, y, angle, _ = np.array(lines).T
    distance = np.abs((x - 49.5) * np.sin(angle) - (y - 49.5) * np.cos(angle))
    assert len(lines) == pytest.approx(300, abs=60)
    assert distance.max() < 70.8
