from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar

from gammafind.fitting.photons.likelihood import fit_amplitudes


def log_likelihood(amplitude, counts, model, template):
    expected = model + amplitude * template
    return np.sum(counts * np.log(expected) - expected)


def random_problem(seed, n=40, k=60, amplitude=None):
    rng = np.random.default_rng(seed)
    template = rng.dirichlet(np.full(k, 0.3), n) * rng.uniform(0.5, 1, (n, 1))
    model = rng.uniform(0.05, 4, (n, k))
    true = rng.choice([0, 3, 30, 3000], n) if amplitude is None else np.full(n, amplitude)
    counts = rng.poisson(model + true[:, None] * template).astype(float)
    return counts, model, template


@pytest.mark.parametrize("seed", range(4))
def test_amplitude_and_ts_are_those_of_a_general_minimiser(seed):
    counts, model, template = random_problem(seed)
    fit = fit_amplitudes(counts, model, template)
    for i, row in enumerate(zip(counts, model, template, strict=True)):
        best = minimize_scalar(
            lambda a, row=row: -log_likelihood(a, *row),
            bounds=(0, 1e4),
            method="bounded",
            options={"xatol": 1e-6},
        )
        assert_allclose(fit.amplitude[i], best.x, rtol=2e-3, atol=1e-3)
        expected = 2 * (-best.fun - log_likelihood(0, *row))
        assert_allclose(fit.ts[i], max(expected, 0), rtol=1e-5, atol=2e-3)


def test_the_error_is_the_curvature():
    counts, model, template = random_problem(9, amplitude=50)
    fit = fit_amplitudes(counts, model, template)
    step = 1e-2
    for i, row in enumerate(zip(counts, model, template, strict=True)):
        low, middle, high = (log_likelihood(fit.amplitude[i] + d, *row) for d in (-step, 0, step))
        curvature = -(low - 2 * middle + high) / step**2
        assert_allclose(fit.error[i], curvature**-0.5, rtol=1e-3)


def test_one_sigma_away_the_likelihood_has_fallen_by_a_half():
    counts, model, template = random_problem(10, amplitude=3000)
    fit = fit_amplitudes(counts, model, template)
    for i, row in enumerate(zip(counts, model, template, strict=True)):
        best, away = fit.amplitude[i], fit.amplitude[i] + fit.error[i]
        fall = log_likelihood(best, *row) - log_likelihood(away, *row)
        assert_allclose(fall, 0.5, rtol=0.03)


def test_no_excess_has_no_ts():
    counts, model, template = random_problem(11, amplitude=0)
    fit = fit_amplitudes(np.floor(0.5 * model), model, template)
    assert_allclose(fit.amplitude, 0)
    assert_allclose(fit.ts, 0)
    exact = fit_amplitudes(model, model, template)
    assert_allclose(exact.ts, 0, atol=1e-9)
    assert np.all(fit_amplitudes(counts, model, template).ts >= 0)


def test_ts_of_noise_is_half_a_chi_square():
    # Chernoff 1954: half of all positions have TS 0, the others follow chi2 with one degree of
    # freedom; so the mean is 1/2 and 2.3 % exceed 4, each within four standard errors here.
    rng = np.random.default_rng(12)
    n, k = 20_000, 50
    template = np.exp(-(np.linspace(-3, 3, k) ** 2) / 2)[None].repeat(n, axis=0)
    template /= template.sum(axis=1, keepdims=True)
    model = np.full((n, k), 5.0)
    ts = fit_amplitudes(rng.poisson(model).astype(float), model, template).ts
    assert abs(np.mean(ts == 0) - 0.5) < 0.025
    assert abs(ts.mean() - 0.5) < 4 * np.sqrt(1.25 / n)
    assert abs(np.mean(ts > 4) - 0.02275) < 4 * np.sqrt(0.0228 / n)
    assert abs(np.mean(ts > 9) - 0.00135) < 4 * np.sqrt(0.00135 / n)


@pytest.mark.parametrize("level", [1e-6, 1e-12, 1e-3, 1e6])
@pytest.mark.parametrize("total", [1, 50, 100_000])
def test_a_source_on_next_to_no_background_has_its_counts(level, total):
    template = np.array([[0.6, 0.3, 0.1]])
    counts = total * template
    fit = fit_amplitudes(counts, np.full((1, 3), level), template)
    assert_allclose(fit.amplitude, total - level * 3 if level < 1 else 0, rtol=0.02)
    assert np.isfinite(fit.ts[0])


@pytest.mark.parametrize(
    ("counts", "model", "template"),
    [
        ([0, 0, 0], [1, 1, 1], [0.5, 0.3, 0.2]),
        ([4, 0, 1], [1, 1, 1], [0, 0, 0]),
        ([0, 0, 0], [1, 1, 1], [0, 0, 0]),
        ([0, 5, 0], [1e-6, 1e-6, 1e-6], [1, 0, 0]),
        ([3, 0, 0], [1e-12, 1, 1], [0.5, 0.3, 0.2]),
        ([3, 0, 0], [1, 1, 1], [1e-200, 0, 0]),
        ([1e9, 1e9, 1e9], [1, 1, 1], [0.5, 0.3, 0.2]),
    ],
)
def test_nothing_is_nan_at_the_edges(counts, model, template):
    fit = fit_amplitudes(*(np.array([row], dtype=float) for row in (counts, model, template)))
    assert np.isfinite(fit.amplitude).all()
    assert np.isfinite(fit.ts).all()
    assert np.all(fit.error > 0)


def test_no_positions_give_no_fits():
    fit = fit_amplitudes(*(np.zeros((0, 5)) for _ in range(3)))
    assert fit.amplitude.shape == fit.ts.shape == fit.error.shape == (0,)


@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100))
def test_the_scale_of_the_template_does_not_matter(seed, factor):
    counts, model, template = random_problem(seed, n=3, k=10)
    fit, scaled = (fit_amplitudes(counts, model, f * template) for f in (1, factor))
    assert_allclose(scaled.ts, fit.ts, rtol=1e-5, atol=1e-4)
    assert_allclose(scaled.amplitude * factor, fit.amplitude, rtol=1e-3, atol=1e-4)
