import numpy as np
import pytest
from scipy import stats

from gammafind.plugins.fermi_lat.population.fit import members_of
from gammafind.plugins.fermi_lat.population.variability import (
    draw_history,
    fit_variability,
    steady_history,
)


def test_faint_sources_do_not_count():
    fractional = np.array([0.0, 0.0, 0.0, 0.3, 0.3, 0.3])
    median, spread = fit_variability(fractional, np.array([5.0, 5, 5, 30, 30, 30]))
    assert (median, spread) == (pytest.approx(0.3), 0)
    np.testing.assert_array_equal(fit_variability(fractional, np.full(6, 5.0)), 0)


def test_parameters_are_found_again():
    rng = np.random.default_rng(1)
    sample = 0.5 * np.exp(0.4 * rng.standard_normal(20000))
    found = fit_variability(sample, np.full(20000, 50.0))
    np.testing.assert_allclose(found, [0.5, 0.4], rtol=0.03)


def test_each_history_has_mean_one_and_the_variability_wanted():
    history = draw_history(3000, np.array([0.5, 0.4]), rng=np.random.default_rng(2))
    np.testing.assert_allclose(history.mean(axis=1), 1)
    assert history.min() > 0
    logs = np.log(history.std(axis=1, ddof=1) / 0.5) / 0.4
    assert stats.kstest(logs, "norm").pvalue > 0.05


def test_no_variability_is_steady():
    np.testing.assert_allclose(
        draw_history(5, np.zeros(2), rng=np.random.default_rng(3)), steady_history(5), rtol=1e-9
    )


@pytest.mark.parametrize("name", ["BLL", "FSRQ"])
def test_bright_blazars_vary_as_in_the_catalogue(catalogue, fit, name):
    rows = members_of(catalogue, name).rows
    bright = rows[np.asarray(catalogue["Signif_Avg"])[rows] > 20]
    real = np.asarray(catalogue["Frac_Variability"])[bright]
    drawn = draw_history(5000, fit.classes[name].variability, rng=np.random.default_rng(4))
    assert stats.ks_2samp(real, drawn.std(axis=1, ddof=1)).pvalue > 0.05
