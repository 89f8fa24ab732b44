"""Upper limits: few photons, many, and with neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.stats import norm, poisson

from gammafind.fitting.photons.limits import LocalSky, fit_place, lower_tail

PIXELS = np.arange(40)


def template(centre: float, width: float = 3.0) -> np.ndarray:
    """Gaussian source of one count on a row of pixels."""
    shape = np.exp(-(((PIXELS - centre) / width) ** 2) / 2)
    return shape / shape.sum()


def place(counts: np.ndarray, level: float, centre: float = 20.0) -> LocalSky:
    """A flat background and one source."""
    return LocalSky.alone(np.asarray(counts, float), np.full(40, level), template(centre))


@pytest.mark.parametrize(("mean", "number"), [(4.0, 1), (4.0, 7), (60.0, 50), (60.0, 75)])
def test_the_tail_of_equal_photons_is_that_of_a_poisson_distribution(mean, number):
    means, weights = np.full(10, mean / 10), np.full(10, 0.3)
    found = norm.cdf(lower_tail(means, weights, 0.3 * (number - mean)))
    middle = (poisson.cdf(number, mean) + poisson.cdf(number - 1, mean)) / 2
    assert_allclose(found, middle, rtol=0.12)


def test_the_tail_of_weighted_photons_is_that_of_many_draws():
    rng = np.random.default_rng(2)
    means, weights = rng.uniform(0.01, 0.5, 30), rng.uniform(-0.3, 1, 30)
    drawn = (rng.poisson(means, (40_000, 30)) - means) @ weights
    for value in np.quantile(drawn, [0.02, 0.1, 0.5, 0.9]):
        found = norm.cdf(lower_tail(means, weights, value))
        assert_allclose(found, np.mean(drawn <= value), rtol=0.06)


def test_without_photons_and_background_three_counts_are_the_limit():
    fit = fit_place(place(np.zeros(40), 1e-6))
    assert fit.counts == 0
    assert fit.ts == 0
    assert_allclose(fit.limit, -np.log(0.05), rtol=0.02)


def test_with_many_photons_the_limit_is_that_of_a_gaussian():
    seen = np.rint(500 + 3000 * template(20))
    fit = fit_place(place(seen, 500.0))
    assert_allclose(fit.counts, 3000, atol=20)
    assert_allclose(fit.limit, fit.counts + 1.645 * fit.error, rtol=0.01)
    assert fit.ts > 400


def test_too_few_photons_do_not_bring_the_limit_to_zero():
    level = 20.0
    low = place(np.rint(level - 60 * template(20)), level)
    expected = place(np.full(40, level), level)
    assert fit_place(low).counts == 0
    assert 0 < fit_place(low).limit < 0.8 * fit_place(expected).limit


@pytest.mark.parametrize("level", [0.05, 5.0])
def test_limits_cover_as_often_as_they_say(level):
    rng = np.random.default_rng(4)
    own = template(20)
    counts = 2.2 / np.sqrt(np.sum(own**2 / (level + 0.5 * own)))
    skies = rng.poisson(level + counts * own, (200, 40))
    covered = [fit_place(place(seen, level)).limit >= counts for seen in skies]
    assert 0.90 <= np.mean(covered) <= 0.99


def test_a_free_neighbour_widens_error_and_limit():
    rng = np.random.default_rng(5)
    level, beyond = 3.0, template(24)
    seen = rng.poisson(level + 80 * beyond).astype(float)
    fixed = replace(place(seen, level), fixed=level + 80 * beyond)
    free = replace(
        place(seen, level),
        neighbours=sparse.csr_array(beyond[:, None]),
        start=np.array([80.0]),
    )
    held, loose = fit_place(fixed), fit_place(free)
    assert loose.error > 1.2 * held.error
    assert loose.limit > held.limit
    assert loose.ts < 9
