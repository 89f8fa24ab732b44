from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.fitting.photons.background import component_norms, slow_norm
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import image

NORMS = np.array([0.8, 1.3, 0.5])


def components(n, *, rng) -> np.ndarray:
    """A flat, a falling and a patchy component, shape (n, 3)."""
    x = np.linspace(0, 1, n)
    return np.column_stack([np.full(n, 4.0), 10 * np.exp(-5 * x), rng.gamma(2.0, 1.0, n)])


def test_norms_are_those_that_were_put_in():
    rng = np.random.default_rng(1)
    parts = [components(3000, rng=rng), components(12_000, rng=rng)]
    sources = [np.zeros(len(part)) for part in parts]
    counts = [rng.poisson(part @ NORMS) for part in parts]
    found = component_norms(counts, sources, parts).amplitude
    assert_allclose(found, NORMS, atol=0.08)
    exact = component_norms([part @ NORMS for part in parts], sources, parts).amplitude
    assert_allclose(exact, NORMS, rtol=1e-3)


def test_known_sources_do_not_pull_the_norms():
    rng = np.random.default_rng(2)
    part = components(5000, rng=rng)
    source = np.where(rng.random(5000) < 0.02, 300.0, 0.0)
    counts = rng.poisson(part @ NORMS + source)
    found = component_norms([counts], [source], [part]).amplitude
    assert_allclose(found, NORMS, atol=0.07)


def test_bright_pixels_that_no_source_explains_do_not_pull_the_norms():
    rng = np.random.default_rng(2)
    part = components(5000, rng=rng)
    source = np.where(rng.random(5000) < 0.02, 300.0, 0.0)
    counts = rng.poisson(part @ NORMS + source)
    found = component_norms([counts], [np.zeros(5000)], [part]).amplitude
    assert_allclose(found, NORMS, atol=0.1)


def test_a_narrow_component_gets_the_norm_of_the_place_where_it_is():
    rng = np.random.default_rng(6)
    part = np.full((20_000, 2), 2.0)
    part[:, 1] = np.where(np.arange(20_000) < 400, 60.0, 1e-4)
    counts = rng.poisson(part @ [1.0, 0.6])
    fit = component_norms([counts], [np.zeros(20_000)], [part])
    assert_allclose(fit.amplitude, [1.0, 0.6], atol=0.03)
    assert np.all(fit.errors() < 0.02)


def test_a_component_that_is_not_there_gets_no_norm():
    rng = np.random.default_rng(3)
    part = components(5000, rng=rng)
    counts = rng.poisson(part @ [1.0, 0.0, 1.0])
    found = component_norms([counts], [np.zeros(5000)], [part]).amplitude
    assert 0 <= found[1] < 0.05
    assert_allclose(found[[0, 2]], 1, atol=0.07)


def test_a_sky_without_counts_has_norms_of_zero():
    part = components(500, rng=np.random.default_rng(4))
    found = component_norms([np.zeros(500)], [np.zeros(500)], [part]).amplitude
    assert np.all(np.isfinite(found))
    assert np.all(found < 0.01)


def sky_of(kind):
    return HealpixPixels(32) if kind == "healpix" else image(64, step=1.0)


def wave(pixels) -> np.ndarray:
    """Slow modulation of the background, between 0.7 and 1.3."""
    return 1 + 0.3 * np.sin(4 * pixels.vectors[:, 0]) * np.cos(3 * pixels.vectors[:, 2])


@pytest.mark.parametrize("kind", ["healpix", "image"])
def test_a_slow_modulation_is_followed(kind):
    pixels = sky_of(kind)
    true = wave(pixels)
    background = np.full(len(true), 50.0)
    found = slow_norm(true * background, background, pixels, fwhm=8.0)
    inner = pixels.vectors @ np.mean(pixels.vectors, axis=0) > 0.97 if kind == "image" else ...
    assert_allclose(found[inner], true[inner], atol=0.02)


@pytest.mark.parametrize("kind", ["healpix", "image"])
def test_noise_is_smoothed_away(kind):
    pixels = sky_of(kind)
    background = np.full(len(pixels.vectors), 20.0)
    counts = np.random.default_rng(5).poisson(background)
    found = slow_norm(counts, background, pixels, fwhm=12.0)
    assert abs(found.mean() - 1) < 0.01
    assert found.std() < 0.04


@pytest.mark.parametrize("kind", ["healpix", "image"])
def test_pixels_that_are_not_valid_do_not_count(kind):
    pixels = sky_of(kind)
    true = wave(pixels)
    good = np.random.default_rng(6).random(len(true)) > 0.4
    background = np.full(len(true), 50.0)
    seen, model = (np.where(good, array, 0) for array in (true * background, background))
    found = slow_norm(seen, model, pixels, fwhm=8.0)
    whole = slow_norm(true * background, background, pixels, fwhm=8.0)
    assert_allclose(found[good], whole[good], atol=0.05)


@pytest.mark.parametrize("kind", ["healpix", "image"])
def test_the_norm_stays_in_bounds_and_is_one_on_an_empty_sky(kind):
    pixels = sky_of(kind)
    centre = pixels.vectors.mean(axis=0) if kind == "image" else np.array([0.0, 0, 1])
    near = pixels.vectors @ centre / np.linalg.norm(centre) > np.cos(np.radians(12))
    background = np.where(near, 5.0, 0)
    found = slow_norm(100 * background, background, pixels, fwhm=8.0)
    assert_allclose(found[near], 3.0)
    assert np.all((found >= 0.3) & (found <= 3.0))
    nothing = slow_norm(np.zeros(len(near)), np.zeros(len(near)), pixels, fwhm=8.0)
    assert_allclose(nothing, 1.0)
    empty = slow_norm(np.zeros(len(near)), background, pixels, fwhm=8.0)
    assert_allclose(empty[near], 0.3)


def test_far_from_all_valid_pixels_of_an_image_the_norm_is_one():
    pixels = image(64, step=1.0)
    background = np.zeros((64, 64))
    background[:8, :8] = 5
    found = slow_norm(2 * background.ravel(), background.ravel(), pixels, fwhm=3.0)
    assert_allclose(found.reshape(64, 64)[40:, 40:], 1.0)
