import numpy as np
import pytest
from scipy import stats

from gammafind.plugins.fermi_lat.population.fit import members_of
from gammafind.plugins.fermi_lat.population.forms import CUTOFF, LOG_PARABOLA, with_exponent
from gammafind.plugins.fermi_lat.population.shapes import draw_shapes
from gammafind.plugins.fermi_lat.population.shares import CLASSES
from gammafind.plugins.fermi_lat.spectra import plec

DRAWS = 8000


def real_and_drawn(catalogue, fit, name, *, correlated=True, families=False):
    """Log F0 and shape of members above the peak, and draws at the same energy fluxes."""
    shapes, members = fit.classes[name].shapes, members_of(catalogue, name)
    use = members.log_flux >= fit.fluxes.peak
    log_flux = members.log_flux[use]
    repeated = np.repeat(log_flux, DRAWS // len(log_flux))
    drawn = draw_shapes(
        shapes,
        repeated,
        correlated=correlated,
        families=families,
        rng=np.random.default_rng(9),
    )

    def table(flux, shape):
        amplitude = flux - np.log10(shapes.form.unit_energy_flux(shape, shapes.exp_index))
        return np.column_stack([amplitude, shape])

    return table(log_flux, members.shape[use]), table(repeated, drawn)


@pytest.mark.parametrize("name", CLASSES)
def test_every_parameter_is_distributed_as_in_the_catalogue(catalogue, fit, name):
    real, drawn = real_and_drawn(catalogue, fit, name)
    for a, b in zip(real.T, drawn.T, strict=True):
        assert stats.ks_2samp(a, b).pvalue > 0.05


@pytest.mark.parametrize("name", CLASSES)
def test_correlations_are_those_of_the_catalogue(catalogue, fit, name):
    real, drawn = real_and_drawn(catalogue, fit, name)
    wanted, found = stats.spearmanr(real).statistic, stats.spearmanr(drawn).statistic
    np.testing.assert_allclose(found, wanted, atol=0.12)


def test_independent_draws_miss_the_correlation_of_index_and_curvature(catalogue, fit):
    real, drawn = real_and_drawn(catalogue, fit, "PWN+SNR", correlated=False)
    assert stats.spearmanr(real[:, 2], real[:, 3]).statistic > 0.4
    assert abs(stats.spearmanr(drawn[:, 2], drawn[:, 3]).statistic) < 0.2


@pytest.mark.parametrize("name", CLASSES)
def test_families_keep_to_the_physical_ranges(catalogue, fit, name):
    for correlated in (True, False):
        _, drawn = real_and_drawn(catalogue, fit, name, correlated=correlated, families=True)
        for values, (low, high) in zip(
            drawn[:, 1:].T, fit.classes[name].shapes.form.ranges, strict=True
        ):
            assert values.min() >= low
            assert values.max() <= high


def test_sources_below_the_fit_look_like_the_faintest_of_it(fit):
    shapes = fit.classes["FSRQ"].shapes
    faint, faintest = (
        draw_shapes(
            shapes,
            np.full(200, log_flux),
            correlated=True,
            families=False,
            rng=np.random.default_rng(1),
        )
        for log_flux in (-13.0, shapes.log_flux[0])
    )
    np.testing.assert_array_equal(faint, faintest)


def test_energy_flux_of_unit_amplitude():
    shape = np.array([[1000.0, 2.0, 0.0]])
    expected = np.log(100) * 1e6 * 1.602176634e-6
    np.testing.assert_allclose(LOG_PARABOLA.unit_energy_flux(shape, np.nan), expected)
    np.testing.assert_allclose(CUTOFF.unit_energy_flux(shape, 2 / 3), expected)


def test_another_exponent_keeps_value_slope_and_curvature():
    shape = np.array([[1500.0, 1.2, 0.01]])
    other = with_exponent(shape, np.array([0.5]), 2 / 3)
    step = 1e-3 * np.arange(-1, 2)
    energy = 1500.0 * np.exp(step)
    logs = [np.log(plec(energy, 1.0, *one, b)) for one, b in ((shape[0], 0.5), (other[0], 2 / 3))]
    np.testing.assert_allclose(logs[0], logs[1], atol=1e-10)
    second = [np.diff(values, 2)[0] for values in logs]
    np.testing.assert_allclose(second[0], second[1], rtol=1e-4)
