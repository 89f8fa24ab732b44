"""Sky, noise and seeing of an image."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import InputDataError
from gammafind.fitting.image.seeing import field_of_widths, star_widths
from gammafind.fitting.image.sky import sky_and_noise
from gammafind.plugins.meerlicht.artefacts import add_cosmic_rays
from gammafind.plugins.meerlicht.stars import draw_stars


def field(n=60, fwhm=4.0, slope=0.0, shape=(400, 500), seed=2):
    """Stars of 30000 electrons on a tilted sky about 300, noise 10."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(20, 480, n), rng.uniform(20, 380, n)
    image = np.zeros(shape, dtype=np.float32)
    widths = fwhm * (1 + slope * (2 * (x + 0.5) / shape[1] - 1))
    draw_stars(image, x, y, np.full(n, 3e4), widths, beta=3.0)
    tilt = 300 + 0.05 * np.arange(shape[1])
    return image + tilt + rng.normal(0, 10, shape), tilt


def test_the_sky_is_seen_between_the_stars():
    image, tilt = field()
    sky, noise = sky_and_noise(image, np.ones(image.shape, dtype=bool))
    assert sky.dtype == noise.dtype == np.float32
    assert np.abs(sky - tilt).max() < 4
    assert np.median(noise) == pytest.approx(10, rel=0.06)


def test_pixels_without_data_do_not_count():
    image, tilt = field(n=0)
    valid = np.ones(image.shape, dtype=bool)
    valid[:, :100] = False
    image[:, :100] = 0
    sky, _ = sky_and_noise(image, valid)
    assert np.abs(sky - tilt)[:, 100:].max() < 5


@pytest.mark.parametrize(("valid", "fault"), [(False, "enough pixels"), (True, "has no noise")])
def test_an_image_without_noise_or_pixels_is_refused(valid, fault):
    with pytest.raises(InputDataError, match=fault):
        sky_and_noise(np.full((50, 50), 7.0), np.full((50, 50), valid))


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_stars_tell_the_seeing_over_the_field(slope):
    image, tilt = field(n=120, slope=slope)
    noise = np.full(image.shape, 10.0)
    x, y, fwhm = star_widths(
        image - tilt, noise, np.ones(image.shape, dtype=bool), beta=3.0, guess=5.0
    )
    middle, widths = field_of_widths(x, y, fwhm, image.shape)
    assert len(x) > 30
    assert middle * widths[0] == pytest.approx(4.0, rel=0.02)
    assert widths[1] == pytest.approx(slope, abs=0.03)


def test_spikes_are_no_stars():
    image = np.random.default_rng(1).normal(0, 10, (200, 200))
    image[40, 50] = image[90, 120] = 5000
    given = np.full(image.shape, 10.0), np.ones(image.shape, dtype=bool)
    assert len(star_widths(image, *given, beta=3.0, guess=5.0)[0]) == 0


def test_cosmic_rays_do_not_outvote_stars():
    """Three hundred tracks of muons among ten stars."""
    image, tilt = field(n=10)
    image = image.astype(np.float32)
    mask = np.zeros(image.shape, dtype=np.uint8)
    add_cosmic_rays(image, mask, 300.0, rng=np.random.default_rng(3))
    given = np.full(image.shape, 10.0), np.ones(image.shape, dtype=bool)
    fwhm = star_widths(image - tilt, *given, beta=3.0, guess=4.0)[2]
    assert len(fwhm) >= 5
    assert np.median(fwhm) == pytest.approx(4.0, rel=0.03)
