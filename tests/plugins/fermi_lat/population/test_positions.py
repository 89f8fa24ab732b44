import numpy as np
from scipy import stats

from gammafind.plugins.fermi_lat.population.positions import (
    LONGITUDE_EDGES,
    draw_isotropic,
    draw_latitudes,
    draw_longitudes,
    draw_paper_latitudes,
    fit_latitudes,
    fit_longitudes,
)


def rng():
    return np.random.default_rng(11)


def test_isotropic_is_uniform_in_longitude_and_sine_of_latitude():
    lon, lat = draw_isotropic(5000, rng=rng())
    assert stats.kstest(lon / 360, "uniform").pvalue > 0.05
    assert stats.kstest((1 + np.sin(np.radians(lat))) / 2, "uniform").pvalue > 0.05


def test_latitudes_are_those_of_the_sample():
    sample = rng().normal(0, 4, 900)
    drawn = draw_latitudes(5000, fit_latitudes(sample, np.ones(900)), rng=rng())
    assert stats.ks_2samp(np.abs(sample), np.abs(drawn)).pvalue > 0.05
    assert stats.binomtest(int((drawn < 0).sum()), 5000).pvalue > 0.05


def test_latitudes_of_the_paper_are_its_two_gaussians():
    drawn = draw_paper_latitudes(20000, rng=rng())
    grid = np.linspace(-90, 90, 3601)
    density = 0.11 * np.exp(-0.5 * (grid / 1.39) ** 2) + 0.012 * np.exp(-0.5 * (grid / 19.2) ** 2)
    cumulative = np.cumsum(density) / density.sum()
    assert stats.kstest(drawn, lambda x: np.interp(x, grid + 0.025, cumulative)).pvalue > 0.05
    assert np.abs(drawn).max() <= 90


def test_longitudes_go_round():
    sample = rng().normal(0, 20, 4000) % 360
    shares = fit_longitudes(sample, np.ones(4000))
    np.testing.assert_allclose(shares.sum(), 1)
    drawn = draw_longitudes(4000, shares, rng=rng())
    assert drawn.min() >= 0
    assert drawn.max() < 360
    offset = (drawn + 180) % 360 - 180
    assert abs(offset.mean()) < 1.5
    np.testing.assert_allclose(offset.std(), np.hypot(20, 8), rtol=0.05)


def test_smoothing_wraps_at_the_edge():
    shares = fit_longitudes(np.array([180.0]), np.ones(1))
    np.testing.assert_allclose(shares, shares[::-1], atol=1e-12)
    assert shares[0] == shares.max()
    assert len(shares) == len(LONGITUDE_EDGES) - 1
