import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from gammafind.plugins.fermi_lat.population.marginals import (
    SCORES,
    family_values,
    fit_family,
    quantile_table,
    scores_of,
    values_of,
)

WIDE = (-5.0, 50.0)


def test_quantiles_of_a_normal_sample_are_its_scores():
    sample = np.random.default_rng(2).normal(3, 2, 200_000)
    middle = np.abs(SCORES) < 2.5
    np.testing.assert_allclose(quantile_table(sample)[middle], 3 + 2 * SCORES[middle], atol=0.05)


def test_quantiles_draw_the_sample_again():
    rng = np.random.default_rng(3)
    sample = rng.gamma(1.5, 2.0, 800)
    drawn = values_of(rng.standard_normal(4000), quantile_table(sample))
    assert stats.ks_2samp(sample, drawn).pvalue > 0.05
    assert drawn.min() >= sample.min()
    assert drawn.max() <= sample.max()


def test_weights_are_repetitions():
    values, weights = np.array([4.0, 1.0, 2.0]), np.array([3, 1, 2])
    many = np.repeat(values, 1000 * weights)
    few = quantile_table(values, weights)
    at = np.isin(ndtr(SCORES).round(2), [0.5])
    np.testing.assert_allclose(quantile_table(many)[SCORES > 0.1], 4.0)
    assert few[at][0] == pytest.approx(np.interp(0.5, [1 / 12, 4 / 12, 9 / 12], [1.0, 2.0, 4.0]))


def test_scores_are_the_inverse():
    table = np.sort(np.random.default_rng(4).normal(size=33))
    scores = np.linspace(-2.9, 2.9, 50)
    np.testing.assert_allclose(scores_of(values_of(scores, table), table), scores, atol=1e-9)


@pytest.mark.parametrize(
    ("family", "distribution", "parameters"),
    [
        ("norm", stats.norm, (2.0, 0.3)),
        ("lognorm", stats.lognorm(0.4, scale=np.exp(1.5)), (1.5, 0.4)),
        ("gumbel_r", stats.gumbel_r, (0.1, 0.07)),
        ("cauchy", stats.cauchy, (3.0, 0.03)),
    ],
)
def test_families_are_found_and_drawn_again(family, distribution, parameters):
    frozen = distribution if family == "lognorm" else distribution(*parameters)
    sample = frozen.rvs(4000, random_state=np.random.default_rng(6))
    found = fit_family(family, sample)
    np.testing.assert_allclose(found, parameters, rtol=0.05)
    limits = (1e-3, 1e3) if family == "lognorm" else WIDE
    scores = np.random.default_rng(7).standard_normal(4000)
    drawn = family_values(scores, family, np.array(parameters), limits)
    assert stats.kstest(drawn, frozen.cdf).pvalue > 0.05


def test_truncation_renormalises():
    scores = np.random.default_rng(8).standard_normal(4000)
    drawn = family_values(scores, "cauchy", np.array([0.01, 0.01]), (0.0, 0.1))
    assert drawn.min() >= 0
    assert drawn.max() <= 0.1
    cdf = stats.cauchy(0.01, 0.01).cdf
    whole = cdf(0.1) - cdf(0)
    assert stats.kstest(drawn, lambda x: (cdf(x) - cdf(0)) / whole).pvalue > 0.05
