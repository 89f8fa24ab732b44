"""Counts of overlapping sources whose spectra are smooth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from gammafind.fitting.photons.smooth_spectra import SpectralPrior, by_cell, fit_smooth
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf import RadialPsf
from gammafind.sky.spectral_response import SpectralResponse
from tests.fitting.skies import gaussian_psf
from tests.fitting.test_joint import bumps

EDGES = [(300.0, 1000.0), (1000.0, 3000.0), (3000.0, 10000.0)]
WIDTHS = (12.0, 3.0, 1.5)
LEVELS = (40.0, 10.0, 1.0)
CENTRES = (32, 38, 45)
EXPOSURE = 1e11


class Band(NamedTuple):
    counts: np.ndarray
    fixed: np.ndarray
    templates: sparse.csc_array


def responses(edges=EDGES) -> list[SpectralResponse]:
    psf: RadialPsf = gaussian_psf(0.5)
    return [SpectralResponse.exact(*edge, psf) for edge in edges]


def power_laws(indices, amplitudes) -> np.ndarray:
    """Counts (n, n_bands) of sources of some indices and counts in all bands."""
    seen = np.array([[one.seen(one.energy**-i) for one in responses()] for i in indices])
    return seen / seen.sum(axis=1, keepdims=True) * np.asarray(amplitudes, float)[:, None]


def sky(true, *, rng=None, scale=1.0):
    """Bands on a line of pixels, and their levels, whose background is wrong by a scale."""
    bands, levels = [], []
    for i, (width, level) in enumerate(zip(WIDTHS, LEVELS, strict=True)):
        templates = bumps(CENTRES, width=width)
        background = np.full(len(templates), level)
        expected = background + templates @ true[:, i]
        counts = expected if rng is None else rng.poisson(expected).astype(float)
        bands.append(Band(counts, background * scale, sparse.csc_array(templates)))
        here = np.tile(unit_vectors(10.0, 20.0), (len(templates), 1))
        levels.append(by_cell(here, background * scale))
    return bands, levels


def fitted(bands, levels, start) -> np.ndarray:
    exposure = np.full(start.shape, EXPOSURE)
    return fit_smooth(bands, levels, start, exposure, SpectralPrior.of(responses(), EDGES))


def test_sources_that_overlap_in_the_lowest_band_keep_their_spectra():
    true = power_laws([2.6, 1.9, 2.4], [6000.0, 3000.0, 4000.0])
    found = fitted(*sky(true), power_laws([2.3] * 3, [4000.0] * 3))
    assert_allclose(found, true, rtol=0.15)


@pytest.mark.parametrize("first", [0.0, 1e-3, 1.0, 1e5])
def test_any_start_ends_at_the_same_counts(first):
    true = power_laws([2.6, 1.9, 2.4], [6000.0, 3000.0, 4000.0])
    rng = np.random.default_rng(3)
    given = sky(true, rng=rng)
    start = true.copy()
    start[1] = first
    found = fitted(*given, start)
    for _ in range(4):
        found = fitted(*given, found)
    assert_allclose(found, fitted(*given, true), rtol=0.02)


def test_a_level_of_the_background_that_is_wrong_does_not_move_sources():
    true = power_laws([2.4, 2.2, 2.3], [2000.0, 1500.0, 1000.0])
    found = fitted(*sky(true, scale=1.05), true)
    assert_allclose(found, fitted(*sky(true), true), rtol=0.05)


def test_a_band_that_cannot_tell_sources_apart_follows_the_others():
    true = power_laws([2.4, 2.4, 2.4], [400.0, 300.0, 350.0])
    rng = np.random.default_rng(1)
    both = np.array([fitted(*sky(true, rng=rng), true)[:, 0] for _ in range(20)])
    miss = (both - true[:, 0]).std(axis=0)
    templates = bumps(CENTRES, width=WIDTHS[0])
    information = templates.T @ (templates / (LEVELS[0] + templates @ true[:, [0]]))
    alone = np.sqrt(np.diag(np.linalg.inv(information)))
    assert np.all(miss < alone / 2)


def test_channels_of_the_same_energies_share_a_spectrum():
    edges = [EDGES[0], EDGES[0], EDGES[1]]
    prior = SpectralPrior.of(responses(edges), edges)
    covariance = np.linalg.inv(prior.precision)
    apart = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert np.sqrt(apart) < 0.03
    other = covariance[0, 0] + covariance[2, 2] - 2 * covariance[0, 2]
    assert np.sqrt(other) > 0.3


def test_a_place_without_exposure_keeps_finite_counts():
    true = power_laws([2.4, 2.2, 2.3], [2000.0, 1500.0, 1000.0])
    exposure = np.full(true.shape, EXPOSURE)
    exposure[0] = 0
    exposure[1, 2] = 0
    prior = SpectralPrior.of(responses(), EDGES)
    assert np.isfinite(fit_smooth(*sky(true), true, exposure, prior)).all()
