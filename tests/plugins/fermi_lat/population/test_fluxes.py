import numpy as np
import pytest
from scipy import stats

from gammafind.plugins.fermi_lat.population.fluxes import (
    FluxDistribution,
    draw_from_histogram,
    fit_fluxes,
    histogram_peak,
)

TOY = FluxDistribution(
    edges=np.array([-12.0, -11.9, -11.8]),
    counts=np.array([[40.0, 20.0], [10.0, 5.0]]),
    level=np.array([42.0, 8.0]),
)


def test_the_peak_is_the_fullest_bin():
    log_flux = np.array([-12.25, -12.05, -11.95, -11.93, -11.91, -11.2])
    assert histogram_peak(log_flux) == pytest.approx(-12.0)


def test_below_the_peak_numbers_stay_level():
    edges, counts = TOY.above(-13.0)
    np.testing.assert_allclose(edges, [-13, -12, -11.9, -11.8])
    np.testing.assert_allclose(counts, [[420, 40, 20], [80, 10, 5]])


def test_above_the_peak_the_catalogue_is_followed():
    edges, counts = TOY.above(-11.95)
    np.testing.assert_allclose(edges, [-11.95, -11.9, -11.8])
    np.testing.assert_allclose(counts, [[20, 20], [5, 5]])
    np.testing.assert_allclose(TOY.above(-12.0)[1], TOY.counts)


def test_beyond_the_brightest_there_is_nothing():
    assert TOY.above(-11.0)[1].sum() == 0


def test_the_level_is_that_of_the_peak_in_all_classes_together(fit):
    fluxes = fit.fluxes
    assert fluxes.level.sum() == pytest.approx(fluxes.counts[:, 0].sum(), rel=1e-6)
    assert fluxes.peak == pytest.approx(-12.0)


def test_fit_counts_every_source_once():
    rng = np.random.default_rng(1)
    log_flux, shares = -12 + rng.exponential(0.4, 500), rng.dirichlet(np.ones(4), 500)
    fluxes = fit_fluxes(log_flux, shares)
    np.testing.assert_allclose(fluxes.counts.sum(axis=1), shares.sum(axis=0))
    assert len(fluxes.edges) == fluxes.counts.shape[1] + 1


def test_draws_follow_the_histogram():
    edges, weights = np.array([0.0, 1.0, 3.0]), np.array([1.0, 4.0])
    drawn = draw_from_histogram(edges, weights, 5000, rng=np.random.default_rng(2))
    assert stats.kstest(drawn, lambda x: np.interp(x, edges, [0, 0.2, 1])).pvalue > 0.05
