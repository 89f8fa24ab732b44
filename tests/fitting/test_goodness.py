"""Maps of residuals: as expected for a right model, and where a source is missing."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from scipy.stats import poisson

from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.deviation import deviation
from gammafind.fitting.photons.goodness import goodness_of, measure_goodness
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf_stamps import point_source_map
from tests.fitting.skies import gaussian_psf, image, observe, spread_out

PSFS = [gaussian_psf(sigma) for sigma in (1.0, 0.7, 0.5)]
LEVELS, SHARES = (4.0, 1.0, 0.2), (0.7, 0.25, 0.05)
"""Counts of the background in a pixel, and shares of those of a source, in three bands."""


def expected_maps(vectors, counts, pixels):
    """Sources on a flat background, the PSF narrower at high energies."""
    return [
        level + point_source_map(vectors, np.full(len(vectors), counts) * share, pixels, psf)
        for level, psf, share in zip(LEVELS, PSFS, SHARES, strict=True)
    ]


def drawn(vectors, counts, pixels, *, rng):
    """Counts of such a sky."""
    background = [np.full(int(np.prod(pixels.shape)), level) for level in LEVELS]
    expected = expected_maps(vectors, counts, pixels)
    return observe(expected, background, [pixels] * 3, PSFS, rng=rng)


def positions(vectors) -> SkyCoord:
    """Galactic unit vectors as positions."""
    return SkyCoord(*vectors.T, representation_type="cartesian", frame="galactic")


@pytest.fixture(scope="module")
def sky():
    rng = np.random.default_rng(8)
    vectors = spread_out(12, 25.0, rng=rng)
    return vectors, drawn(vectors, 300.0, HealpixPixels(64), rng=rng)


def test_the_deviation_of_one_band_is_the_exact_probability():
    rng = np.random.default_rng(1)
    mean = rng.uniform(0.5, 20, 300)
    seen = rng.poisson(mean)
    numbers = np.arange(100)
    likely = poisson.pmf(numbers, mean[:, None])
    exact = np.sum(likely * (likely <= poisson.pmf(seen, mean)[:, None] * 1.0001), axis=1)
    found = deviation(seen[:, None], mean[:, None])
    assert_allclose(np.abs(found), -np.log10(exact), atol=0.25)
    assert np.median(np.abs(np.abs(found) + np.log10(exact))) < 0.01


def test_deviations_by_chance_are_as_rare_as_they_say():
    rng = np.random.default_rng(2)
    mean = rng.uniform(0.1, 2, (30_000, 4)) * (150, 30, 4, 0.5)
    found = np.abs(deviation(rng.poisson(mean), mean))
    for level in (0.5, 1.0, 2.0):
        assert_allclose(np.mean(found >= level), 10**-level, rtol=0.15)


def test_large_deviations_have_no_end():
    seen = np.array([[0, 0], [40, 5], [400, 5], [4000, 5], [0, 0]])
    mean = np.array([[40.0, 5], [40, 5], [40, 5], [40, 5], [200, 20]])
    ps = deviation(seen, mean)
    assert ps[0] < -10
    assert abs(ps[1]) < 1
    assert np.all(np.diff(ps[1:4]) > 50)
    assert ps[4] < -50


def test_a_right_model_leaves_noise(sky):
    vectors, observation = sky
    data = sky_data(observation, index=2.3)
    maps = expected_maps(vectors, 300.0, data.bands[0].pixels)
    found = goodness_of(data.with_model(maps, maps), observation.counts)
    assert found.ps.kind == found.residual.kind == "score"
    assert found.ps.valid[0].all()
    values = np.abs(found.ps.values[0])
    for level, tolerance in ((1, 0.01), (2, 0.003), (3, 0.001)):
        assert_allclose(np.mean(values >= level), 10.0**-level, atol=tolerance)
    assert_allclose(found.residual.values[0].std(), 1, atol=0.03)


def test_a_missing_source_shows(sky):
    vectors, observation = sky
    found = measure_goodness(observation, positions(vectors[1:]))
    (pixels,) = found.ps.pixels
    missing = pixels.containing(vectors[:1])[0]
    assert found.ps.values[0][missing] > 5
    assert found.residual.values[0][missing] > 5
    highest = pixels.at(np.argmax(found.ps.values[0]))
    assert highest @ vectors[0] > np.cos(np.radians(1))


def test_bands_may_have_different_pixels():
    rng = np.random.default_rng(9)
    pixels = [HealpixPixels(32), HealpixPixels(64), HealpixPixels(64)]
    levels = [np.full(p.shape, level) for p, level in zip(pixels, (16.0, 1.0, 0.2), strict=True)]
    observation = observe(levels, levels, pixels, PSFS, rng=rng)
    found = goodness_of(sky_data(observation, index=2.3), observation.counts)
    assert found.ps.pixels[0] == HealpixPixels(64)
    assert_allclose(np.mean(np.abs(found.ps.values[0]) >= 1), 0.1, atol=0.01)


def test_a_sky_without_known_sources_and_an_image_are_no_fault():
    rng = np.random.default_rng(3)
    observation = drawn(np.zeros((0, 3)), 0.0, image(32, step=0.5), rng=rng)
    found = measure_goodness(observation, SkyCoord([], [], unit="deg"))
    assert found.ps.values[0].shape == found.ps.pixels[0].shape
    assert np.abs(found.ps.values[0]).max() < 6
