from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.sky import harmonics
from gammafind.sky.harmonics import analyse_points, convolve, kernel_sums, synthesise
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import gaussian_psf


def summed(values, psf, nside, nside_out) -> np.ndarray:
    """Sum over all pixels of ``values`` times the profile, pixel by pixel."""
    seen, home = HealpixPixels(nside_out).vectors, HealpixPixels(nside).vectors
    distance = np.linalg.norm(seen[:, None] - home[None], axis=-1)
    return psf(2 * np.arcsin(np.minimum(distance / 2, 1))) @ values


@pytest.mark.parametrize("nside_out", [4, 8, 16])
@pytest.mark.parametrize("sigma", [8.0, 15.0, 22.0])
def test_convolution_is_the_sum_over_all_pixels(nside_out, sigma):
    psf = gaussian_psf(sigma)
    values = np.random.default_rng(3).exponential(size=768)
    found = convolve(values, 8, psf.window(60), nside_out)
    expected = summed(values, psf, 8, nside_out)
    assert_allclose(found, expected, atol=1e-3 * expected.max())


def test_a_single_pixel_becomes_the_kernel():
    psf = gaussian_psf(10.0)
    values = np.zeros(768)
    values[300] = 2
    found = convolve(values, 8, psf.window(80), 8)
    assert found.argmax() == 300
    assert_allclose(found[300], 2 * psf(0.0), rtol=1e-3)


def test_a_flat_map_stays_flat_away_from_the_poles():
    pixels = HealpixPixels(16)
    window = gaussian_psf(8.0).window(47) * pixels.pixel_area.value
    flat = convolve(np.full(3072, 3.0), 16, window, 16)
    assert_allclose(flat[np.abs(pixels.vectors[:, 2]) < 0.9], 3.0, rtol=1e-3)
    assert_allclose(flat.mean(), 3.0, rtol=1e-4)


def test_convolution_is_linear_and_takes_any_number_type():
    window = gaussian_psf(12.0).window(30)
    rng = np.random.default_rng(4)
    one, other = rng.poisson(3, 768), rng.poisson(5, 768).astype(np.float32)
    together = convolve(one + 2 * other, 8, window, 8)
    apart = convolve(one, 8, window, 8) + 2 * convolve(other, 8, window, 8)
    assert_allclose(together, apart, rtol=1e-6)


def test_the_number_of_threads_changes_no_bit_of_a_map(monkeypatch):
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(3000, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = {}
    for threads in (1, 2, 3):
        monkeypatch.setattr(harmonics, "_THREADS", threads)
        alm = analyse_points(vectors, vectors[:, 0] ** 2, np.ones(400))
        sums = kernel_sums(vectors, np.ones(100), 32)
        sky = synthesise(alm, 64)
        found[threads] = (alm, sums, sky, convolve(sky, 64, np.ones(150), 32))
    for threads in (2, 3):
        for one, other in zip(found[1], found[threads], strict=True):
            assert_array_equal(one, other)
