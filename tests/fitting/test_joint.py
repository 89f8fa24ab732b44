from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.optimize import minimize

from gammafind.fitting.photons.joint import fit_jointly


def bumps(centres, k=80, width=2.0) -> np.ndarray:
    """Gaussian templates of sum one on a line of k pixels, shape (k, n)."""
    x = np.arange(k)[:, None]
    template = np.exp(-(((x - np.asarray(centres)) / width) ** 2) / 2)
    return template / template.sum(axis=0)


def problem(seed, centres, amplitudes, level=2.0):
    rng = np.random.default_rng(seed)
    templates = bumps(centres)
    fixed = np.full(len(templates), level)
    counts = rng.poisson(fixed + templates @ np.asarray(amplitudes, float)).astype(float)
    return counts, fixed, templates


def minus_log_likelihood(amplitude, counts, fixed, templates):
    expected = fixed + templates @ amplitude
    return np.sum(expected - counts * np.log(expected))


def fit(counts, fixed, templates, start=None):
    start = np.ones(templates.shape[1]) if start is None else start
    return fit_jointly(counts, fixed, sparse.csr_array(templates), start)


def test_overlapping_sources_are_told_apart():
    true = np.array([5000.0, 800, 3000])
    templates = bumps([30, 34, 38])
    fixed = np.full(80, 3.0)
    found = fit(fixed + templates @ true, fixed, templates)
    assert_allclose(found.amplitude, true, rtol=1e-3)


@pytest.mark.parametrize("start", [1e-3, 1.0, 1e5])
@pytest.mark.parametrize("seed", range(5))
def test_the_maximum_is_that_of_a_general_minimiser(seed, start):
    amplitudes = np.random.default_rng(seed).choice([0, 20, 200, 5000], 6)
    given = problem(seed, [10, 14, 30, 33, 36, 60], amplitudes)
    found = fit(*given, np.full(6, start))
    best = minimize(
        minus_log_likelihood,
        np.full(6, 10.0),
        args=given,
        jac=lambda a, c, f, t: t.T @ (1 - c / (f + t @ a)),
        method="L-BFGS-B",
        bounds=[(0, None)] * 6,
        options={"maxiter": 5000, "ftol": 1e-14, "gtol": 1e-9},
    )
    worse = minus_log_likelihood(found.amplitude, *given) - best.fun
    assert worse < 1e-3
    assert_allclose(found.amplitude, best.x, atol=0.3, rtol=3e-3)


def test_errors_are_those_of_the_hessian():
    given = problem(3, [20, 23, 50], [900, 600, 300])
    found = fit(*given)
    step = 0.5
    unit = step * np.eye(3)
    hessian = np.array(
        [
            [
                sum(
                    s * t * minus_log_likelihood(found.amplitude + s * a + t * b, *given)
                    for s in (-1, 1)
                    for t in (-1, 1)
                )
                / (4 * step**2)
                for a in unit
            ]
            for b in unit
        ]
    )
    expected = np.sqrt(np.diag(np.linalg.inv(hessian)))
    assert_allclose(found.errors(), expected, rtol=0.05)


def test_overlap_makes_errors_larger():
    alone = fit(*problem(4, [20], [500.0])).errors()
    pair = fit(*problem(4, [20, 22], [500.0, 500.0])).errors()
    assert np.all(pair > 1.2 * alone)


def test_errors_hold_in_many_draws():
    true = np.array([400.0, 250, 100])
    pulls = []
    for seed in range(150):
        found = fit(*problem(seed, [30, 34, 60], true))
        pulls.append((found.amplitude - true) / found.errors())
    assert abs(np.mean(pulls)) < 0.15
    assert abs(np.std(pulls) - 1) < 0.12


def test_a_template_without_counts_goes_to_nothing():
    counts, fixed, templates = problem(5, [15, 40, 65], [300, 0, 300])
    counts[30:50] = 0
    found = fit(counts, fixed, templates, np.full(3, 50.0))
    assert 0 <= found.amplitude[1] < 0.05
    assert np.isfinite(found.amplitude).all()
    assert np.isfinite(found.errors()).all()


def test_no_counts_at_all_stay_finite():
    _, fixed, templates = problem(6, [15, 40], [1, 1])
    found = fit(np.zeros(80), fixed, templates)
    assert np.all(found.amplitude < 0.05)
    assert np.isfinite(found.errors()).all()


def test_no_sources_are_fitted_to_nothing():
    found = fit(np.ones(5), np.ones(5), np.zeros((5, 0)))
    assert found.amplitude.shape == (0,)
    assert found.errors().shape == (0,)


def test_a_source_outside_all_pixels_has_no_say():
    counts, fixed, templates = problem(7, [20, 40], [300, 200])
    both = fit(counts, fixed, np.column_stack([templates, np.zeros(80)]))
    assert_allclose(both.amplitude[:2], fit(counts, fixed, templates).amplitude, rtol=1e-3)
    assert np.isfinite(both.amplitude).all()
    assert both.errors()[2] > 1e3 * both.errors()[:2].max()


def test_only_sources_outside_all_pixels():
    found = fit(np.ones(5), np.ones(5), np.zeros((5, 2)))
    assert np.isfinite(found.amplitude).all()


def test_a_bright_source_has_its_error_beside_a_faint_one_on_no_background():
    templates = bumps([20, 60])
    counts = np.round(templates @ [1e7, 3.0])
    found = fit(counts, np.full(80, 1e-6), templates, np.array([1e7, 1e-3]))
    assert_allclose(found.amplitude[0], counts[:40].sum(), rtol=1e-4)
    assert_allclose(found.errors()[0], np.sqrt(1e7), rtol=0.02)


@given(seed=st.integers(0, 10_000))
def test_amplitudes_are_finite_and_positive_whatever_the_counts(seed):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 80, 8)
    counts = rng.choice([0, 0, 1, 3, 500], 80).astype(float)
    found = fit(counts, np.full(80, rng.choice([1e-6, 0.1, 10])), bumps(centres))
    assert np.all(found.amplitude >= 0)
    assert np.all(np.isfinite(found.amplitude))
    assert found.amplitude.sum() < 2 * counts.sum() + 10


def many(n=2500, seed=8):
    """More sources in a row than are solved for at once, each over several others."""
    rng = np.random.default_rng(seed)
    centres = 3 * np.arange(n) + rng.uniform(0, 1, n)
    pixel = np.rint(centres)[:, None].astype(int) + np.arange(-8, 9)
    weight = np.exp(-(((pixel - centres[:, None]) / 2.0) ** 2) / 2)
    pixel = np.clip(pixel, 0, 3 * n - 1)
    templates = sparse.csr_array(
        (weight.ravel(), (pixel.ravel(), np.repeat(np.arange(n), 17))), shape=(3 * n, n)
    )
    fixed = np.full(3 * n, 2.0)
    counts = rng.poisson(fixed + templates @ rng.uniform(0, 200, n)).astype(float)
    return counts, fixed, templates


def test_many_sources_are_fitted_as_exactly_as_few(monkeypatch):
    given = many()
    found = fit_jointly(*given, np.full(2500, 50.0))
    monkeypatch.setattr("gammafind.fitting.photons.joint._MANY", 10_000)
    exact = fit_jointly(*given, np.full(2500, 50.0))
    assert_allclose(found.amplitude, exact.amplitude, rtol=1e-3, atol=0.1)


def test_errors_among_many_sources_are_those_of_the_whole_inverse():
    found = fit_jointly(*many(), np.full(2500, 50.0))
    expected = np.sqrt(np.diag(np.linalg.inv(found.information.toarray())))
    assert_allclose(found.errors(), expected, rtol=0.01)
