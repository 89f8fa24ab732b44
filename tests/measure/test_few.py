from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose
from scipy import sparse

from gammafind.measure.few import fit_few
from gammafind.measure.joint import fit_jointly


def overlapping(seed: int, n: int = 8, width: int = 40):
    """Gaussians on a line of pixels, flat background, and Poisson counts."""
    rng = np.random.default_rng(seed)
    centre = np.sort(rng.uniform(3, width - 3, n))
    pixel = np.clip(np.rint(centre)[:, None].astype(int) + np.arange(-4, 5), 0, width - 1)
    template = np.exp(-((pixel - centre[:, None]) ** 2) / 3)
    template /= template.sum(axis=1, keepdims=True)
    # At the border several columns stand for one pixel; the first of them holds the share.
    first = np.diff(pixel, axis=1, prepend=-1) != 0
    template = np.where(first, template, 0)
    fixed = np.full(width, 3.0)
    true = rng.uniform(0, 80, n)
    weights = (true[:, None] * template).ravel()
    expected = fixed + np.bincount(pixel.ravel(), weights, minlength=width)
    return rng.poisson(expected).astype(float), fixed, pixel, template


def test_amplitudes_and_information_are_those_of_the_sparse_fit():
    for seed in range(6):
        counts, fixed, pixel, template = overlapping(seed)
        n = len(pixel)
        rows = np.repeat(np.arange(n), pixel.shape[1])
        matrix = sparse.csr_array((template.ravel(), (pixel.ravel(), rows)), shape=(len(counts), n))
        start = np.full(n, 10.0)
        expected = fit_jointly(counts, fixed, matrix, start)
        amplitude, information = fit_few(counts, fixed, pixel, template, start)
        assert_allclose(amplitude, expected.amplitude, atol=0.5)
        assert_allclose(np.diag(information), expected.information.diagonal(), rtol=0.1, atol=1e-4)


def test_a_source_where_nothing_is_seen_has_no_counts():
    counts, fixed, pixel, template = overlapping(1)
    amplitude, _ = fit_few(0 * counts, fixed, pixel, template, np.full(len(pixel), 30.0))
    assert_allclose(amplitude, 0, atol=1e-6)


def test_expected_counts_give_the_true_amplitudes():
    _, fixed, pixel, template = overlapping(2, n=3)
    true = np.array([5.0, 50.0, 500.0])
    weights = (true[:, None] * template).ravel()
    expected = fixed + np.bincount(pixel.ravel(), weights, minlength=len(fixed))
    amplitude, _ = fit_few(expected, fixed, pixel, template, np.ones(3))
    assert_allclose(amplitude, true, rtol=0.02)


def test_no_sources_are_fitted_too():
    nothing = np.zeros((0, 9))
    amplitude, information = fit_few(
        np.ones(5), np.ones(5), nothing.astype(int), nothing, np.zeros(0)
    )
    assert amplitude.shape == (0,)
    assert information.shape == (0, 0)
