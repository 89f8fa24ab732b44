"""Bands as a network for any of them sees them."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind.networks.features import significance
from gammafind.networks.tiers import (
    CHANNELS,
    THRESHOLD,
    TIERS,
    BandResolution,
    counts_at_threshold,
    spectral_shares,
    tier_inputs,
    ts_of_counts,
)
from gammafind.sky.bands import energy_bands
from gammafind.sky.psf import RadialPsf

WIDTH = np.sqrt(-2 * np.log(0.32))
"""Radius that holds 68 % of a Gaussian over its standard deviation."""


def gaussian(sigma: float) -> RadialPsf:
    theta = np.linspace(0, np.radians(8 * sigma), 400)
    return RadialPsf(theta, np.exp(-((theta / np.radians(sigma)) ** 2) / 2))


def resolution(*r68: float, pixels: float = 1e-3) -> BandResolution:
    return BandResolution.of([gaussian(one / WIDTH) for one in r68], [pixels] * len(r68))


def flat(level: float, width: int, n: int = 2) -> np.ndarray:
    return np.full((n, width, width), level, dtype=np.float32)


def test_pixels_are_about_as_wide_as_the_psf():
    seen = resolution(0.03, 0.1, 0.2, 0.4, 0.8, 4.0)
    assert seen.widths == (128, 128, 64, 32, 16, 16)
    inner = slice(1, -1)
    ratio = seen.pixel[inner] / seen.r68[inner]
    assert ratio.min() > 0.5
    assert ratio.max() < 1.2


def test_photons_that_are_displaced_within_wide_pixels_make_the_psf_wider():
    sharp, wide = resolution(0.1), resolution(0.1, pixels=0.46)
    assert wide.r68 == pytest.approx(np.hypot(sharp.r68, 0.62 * 0.46), rel=1e-3)
    assert not sharp.spread
    assert not sharp.shared
    assert wide.spread
    assert wide.shared == pytest.approx((0.46 / 0.2) ** 2)


def test_the_area_is_that_of_a_gaussian():
    seen = resolution(0.3)
    sigma = 0.3 / WIDTH / seen.pixel
    assert seen.area == pytest.approx(4 * np.pi * sigma**2 + np.pi / 3, rel=1e-3)


def test_a_single_band_is_seen_as_its_counts():
    seen = resolution(0.2)
    counts = np.random.default_rng(1).poisson(3.0, (2, 64, 64)).astype(np.float32)
    inputs = tier_inputs([counts], [flat(3.0, 64)], np.ones((2, 1)), seen)
    assert [one.shape for one in inputs] == [(2, w, w, CHANNELS) for w in TIERS]
    np.testing.assert_allclose(inputs[1][..., 0], significance(counts, flat(3.0, 64)), atol=1e-5)
    np.testing.assert_allclose(inputs[1][..., 1], np.log(3.0), rtol=1e-5)
    assert not any(one.any() for one in (inputs[0], *inputs[2:]))


def test_a_band_that_is_divided_in_two_gives_the_same():
    whole, halves = resolution(0.2), resolution(0.2, 0.2)
    rng = np.random.default_rng(1)
    parts = [rng.poisson(2.0, (2, 64, 64)).astype(np.float32) for _ in range(2)]
    one = tier_inputs([sum(parts)], [flat(4.0, 64)], np.ones((2, 1)), whole)
    two = tier_inputs(parts, [flat(2.0, 64)] * 2, np.full((2, 2), 0.5), halves)
    for first, second in zip(one, two, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-4)


def test_the_sum_of_bands_has_the_noise_of_counts():
    seen = resolution(0.2, 0.2, 0.2)
    levels, shares = (0.2, 3.0, 40.0), np.tile([0.2, 0.3, 0.5], (40, 1))
    rng = np.random.default_rng(2)
    counts = [rng.poisson(level, (40, 64, 64)).astype(np.float32) for level in levels]
    background = [flat(level, 64, n=40) for level in levels]
    tier = tier_inputs(counts, background, shares, seen)[1]
    level = np.exp(tier[0, 0, 0, 1])
    even = tier[..., 0]
    as_poisson = significance(rng.poisson(level, even.shape), np.full(even.shape, level))
    assert even.mean() == pytest.approx(as_poisson.mean(), abs=0.02)
    assert even.std() == pytest.approx(as_poisson.std(), rel=0.06)


def test_a_source_at_the_threshold_has_its_ts():
    shares, background, area = np.array([[0.7, 0.3]]), np.array([[5.0, 0.01]]), np.array([20.0, 4])
    counts = counts_at_threshold(shares, background, area)
    ts = ts_of_counts(counts[:, None] * shares, background * area).sum()
    assert ts == pytest.approx(THRESHOLD, rel=1e-6)


def test_shares_are_those_of_a_power_law():
    bands = energy_bands([1, 10, 100] * u.GeV)
    shares = spectral_shares(bands, np.array([[1.0, 1.0], [1.0, 0.0]]))
    assert shares[0, 1] / shares[0, 0] == pytest.approx(10**-1.3)
    np.testing.assert_allclose(shares[1], [1, 0])
