from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.fitting.photons.data import sky_data, source_size
from gammafind.fitting.photons.position import climb, fit_positions
from gammafind.fitting.photons.scan import scan
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import aside, directions, gaussian_psf, source_sky, spread_out


def separation(one, other) -> np.ndarray:
    """Distance in degrees between unit vectors, pair by pair."""
    return np.degrees(2 * np.arcsin(np.linalg.norm(one - other, axis=-1) / 2))


def fitted(data, start, step):
    """Climb, and fit, each source with the others left out of the model."""
    found = climb(data, start, step=step)
    fit = scan(data, found)
    backgrounds = [band.background for band in data.bands]
    sources = data.source_maps(found, fit.amplitude[:, None])
    full = data.with_model(
        backgrounds, [sum(pair) for pair in zip(backgrounds, sources, strict=True)]
    )
    scale = source_size(data) / np.sqrt(np.maximum(fit.ts, 1))
    return fit_positions(full, found, fit.amplitude[:, None], scale)


@pytest.mark.parametrize(("sigma", "counts"), [(1.0, 150), (2.0, 150), (2.0, 1000), (4.0, 500)])
def test_errors_hold_68_percent_of_the_true_positions(sigma, counts):
    # Of 100 sources 68 +- 5 lie within r68: three standard deviations either way.
    rng = np.random.default_rng(11)
    true = spread_out(100, 6 * sigma, rng=rng)
    sky = source_sky(
        true, np.full(len(true), counts), HealpixPixels(32), gaussian_psf(sigma), level=1, rng=rng
    )
    data = sky_data(sky, index=2.3)
    start = np.array([aside(v, 0.7, a) for v, a in zip(true, rng.uniform(0, 6, 100), strict=False)])
    fit = fitted(data, start, 0.9)
    pull = separation(fit.vectors, true) / fit.r68
    assert 0.53 < np.mean(pull < 1) < 0.83
    assert np.median(separation(fit.vectors, true)) < 0.6 * sigma
    assert np.mean(pull < 2.5) > 0.95


def test_errors_fall_with_the_counts():
    true = directions(4, rng=np.random.default_rng(12))
    counts = np.array([100.0, 400, 1600, 6400])
    sky = source_sky(true, counts, HealpixPixels(32), gaussian_psf(3.0), level=0.5)
    fit = fitted(sky_data(sky, index=2.3), true, 0.5)
    assert_allclose(fit.sigma[1:] / fit.sigma[:-1], 0.5, atol=0.12)
    expected = 3.0 / np.sqrt(counts[2:])
    assert_allclose(fit.sigma[2:], expected, rtol=0.2)


@pytest.mark.parametrize("vector", [(0, 0, 1.0), (0, 0, -1.0), (1.0, 0, 0), (-1.0, 1e-9, 0)])
def test_positions_at_the_poles_and_at_longitude_zero(vector):
    true = np.array([vector])
    rng = np.random.default_rng(13)
    sky = source_sky(true, [3000.0], HealpixPixels(32), gaussian_psf(2.5), level=1, rng=rng)
    data = sky_data(sky, index=2.3)
    start = np.array([aside(true[0], 1.5, 2.0)])
    fit = fitted(data, start, 0.9)
    assert separation(fit.vectors, true)[0] < 0.2
    assert 0.02 < fit.sigma[0] < 0.15
    assert_allclose(np.linalg.norm(fit.vectors, axis=1), 1)


def test_a_climb_reaches_the_highest_test_statistic():
    rng = np.random.default_rng(14)
    true = directions(8, rng=rng)
    sky = source_sky(true, np.full(8, 400), HealpixPixels(32), gaussian_psf(2.5), level=1, rng=rng)
    data = sky_data(sky, index=2.3)
    found = climb(data, np.array([aside(v, 1.2) for v in true]), step=0.9)
    best = scan(data, found).ts
    around = np.array([[aside(v, 0.5, a) for a in np.arange(0, 6.2, 0.8)] for v in found])
    others = scan(data, around.reshape(-1, 3)).ts.reshape(8, -1).max(axis=1)
    assert np.all(best >= others - 1)
    assert np.all(separation(found, true) < 0.7)


@pytest.mark.parametrize("counts", [0.0, 1.0, 10.0])
def test_the_faintest_have_finite_positions_and_errors(counts):
    rng = np.random.default_rng(15)
    true = directions(30, rng=rng)
    sky = source_sky(
        true, np.full(30, counts), HealpixPixels(16), gaussian_psf(5.0), level=3, rng=rng
    )
    fit = fitted(sky_data(sky, index=2.3), true, 2.0)
    assert np.isfinite(fit.vectors).all()
    assert np.isfinite(fit.sigma).all()
    assert np.all(fit.sigma > 0)
    assert np.all(separation(fit.vectors, true) < 60)


def test_a_sky_without_counts_gives_finite_numbers():
    sky = source_sky(np.zeros((0, 3)), [], HealpixPixels(16), gaussian_psf(5.0), level=3)
    data = sky_data(sky, index=2.3)
    dark = data.with_model([np.full(3072, 3.0)], [np.full(3072, 3.0)])
    start = directions(3, rng=np.random.default_rng(16))
    fit = fitted(dark, start, 2.0)
    assert np.isfinite(fit.vectors).all()
    assert np.isfinite(fit.sigma).all()


def test_no_positions_stay_none():
    sky = source_sky(np.zeros((0, 3)), [], HealpixPixels(16), gaussian_psf(5.0), level=3)
    data = sky_data(sky, index=2.3)
    none = np.zeros((0, 3))
    assert climb(data, none, step=1.0).shape == (0, 3)
    assert fit_positions(data, none, np.zeros(0), np.zeros(0)).sigma.shape == (0,)
