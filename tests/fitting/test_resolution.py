from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.resolution import at_own_resolution
from gammafind.fitting.photons.scan import scan
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import gaussian_psf, image, observe, source_sky


def centre_of(pixels) -> np.ndarray:
    return pixels.vectors[len(pixels.vectors) // 2 + 3][None]


@pytest.mark.parametrize(
    ("pixels", "sigma"), [(HealpixPixels(64), 6.0), (image(45, step=0.2), 1.0)]
)
def test_pixels_far_finer_than_the_psf_are_summed_and_little_is_lost(pixels, sigma):
    rng = np.random.default_rng(1)
    true = centre_of(pixels)
    fine = source_sky(true, [300.0], pixels, gaussian_psf(sigma), level=0.2, rng=rng)
    coarse = at_own_resolution(fine)
    assert np.prod(coarse.counts.pixels[0].shape) < np.prod(pixels.shape) / 3
    assert coarse.counts.values[0].sum() == fine.counts.values[0].sum()
    before, after = (scan(sky_data(sky, index=2), true) for sky in (fine, coarse))
    assert_allclose(after.ts, before.ts, rtol=0.05)
    assert_allclose(after.amplitude, before.amplitude, rtol=0.05)


def test_pixels_as_wide_as_the_psf_stay_as_they_are():
    sky = source_sky(centre_of(image(9)), [30.0], image(9), gaussian_psf(0.5), level=1)
    assert at_own_resolution(sky) is sky


def test_a_larger_pixel_that_is_partly_valid_has_part_of_the_exposure():
    pixels = image(16, step=0.2)
    good = np.ones((16, 16), dtype=bool)
    good[:, :3] = False
    flat = np.ones(pixels.shape)
    sky = observe([flat], [flat], [pixels], [gaussian_psf(1.0)], valid=[good])
    coarse = at_own_resolution(sky)
    (exposure,), (valid,), (counts,) = (
        coarse.exposure.values,
        coarse.counts.valid,
        coarse.counts.values,
    )
    assert counts.sum() == good.sum()
    whole = exposure.max()
    assert not valid[:, 0].any() or np.all(exposure[:, 0] < whole)
    assert np.all(valid == (counts > 0))
    assert np.any((exposure > 0) & (exposure < whole))
