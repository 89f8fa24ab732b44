"""One more source at given places of a sky whose sources are known."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.fitting.photons.known_sky import Probe, known_sky
from gammafind.fitting.photons.smooth_spectra import SpectralPrior
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.spectral_response import SpectralResponse
from tests.fitting.skies import EXPOSURE, aside, gaussian_psf, image, source_sky
from tests.fitting.test_goodness import positions

BRIGHT = unit_vectors(120.0, 45.0)
PLACES = np.array([BRIGHT, aside(BRIGHT, 1.2), aside(BRIGHT, 25.0), aside(BRIGHT, 40.0, 1.0)])
COUNTS = np.array([900.0, 30.0, 35.0])


@pytest.fixture(scope="module")
def model():
    """A bright source is known; two faint ones, next to it and far from it, are not."""
    rng = np.random.default_rng(12)
    psf = gaussian_psf(0.5)
    sky = source_sky(PLACES[:3], COUNTS, HealpixPixels(128), psf, level=0.5, rng=rng)
    return known_sky(sky, positions(PLACES[:1]), index=2.3)[0]


def fits(model, vectors, own=None):
    """Fits at places that lie in no source by default."""
    own = np.full(len(vectors), -1) if own is None else np.asarray(own)
    return list(Probe(model).fits(vectors, own))


def test_sources_that_are_not_in_the_model_are_measured(model):
    near, far, empty = fits(model, PLACES[1:])
    for fit, counts in ((near, COUNTS[1]), (far, COUNTS[2])):
        assert abs(fit.counts - counts) < 3 * fit.error
        assert fit.limit > counts
        assert fit.ts > 9
    assert empty.ts < 9
    assert empty.limit < 50


def test_the_error_allows_for_a_neighbour(model):
    places = np.array([aside(BRIGHT, degrees) for degrees in (0.4, 0.8, 1.4, 3.0)])
    errors = [fit.error for fit in fits(model, places)]
    assert all(a > b for a, b in pairwise(errors))


def test_a_place_in_a_source_is_the_measurement_of_that_source(model):
    (fit,) = fits(model, PLACES[:1], own=[0])
    assert_allclose(fit.counts, model.counts[0].sum(), rtol=0.01)
    assert abs(fit.counts - COUNTS[0]) < 3 * fit.error
    assert fit.ts > 1000


def test_sources_at_the_edge_of_the_data_are_fitted_together():
    rng = np.random.default_rng(5)
    psf = gaussian_psf(0.5)
    sky = source_sky(PLACES[:2], COUNTS[:2], HealpixPixels(64), psf, level=0.5, rng=rng)
    near = sky.counts.pixels[0].vectors @ aside(BRIGHT, 0.5) > np.cos(np.radians(6))
    near &= sky.counts.pixels[0].vectors @ aside(BRIGHT, 5.0) < np.cos(np.radians(4))
    cut = replace(sky, counts=replace(sky.counts, valid=(near,)))
    edges = [(2e3, 2e4)]
    prior = SpectralPrior.of([SpectralResponse.exact(*edges[0], psf)], edges)
    known, _ = known_sky(cut, positions(PLACES[:2]), index=2.3, prior=prior)
    assert known.data.bands[0].held is not None
    assert abs(known.counts[0, 0] - COUNTS[0]) < 4 * np.sqrt(COUNTS[0])


def test_places_without_data_are_not_measured():
    rng = np.random.default_rng(3)
    sky = source_sky(
        PLACES[:1], COUNTS[:1], image(32, step=0.4), gaussian_psf(0.5), level=0.5, rng=rng
    )
    known, rows = known_sky(sky, positions(PLACES[[0, 3]]), index=2.3)
    assert list(rows) == [0]
    inside, outside = fits(known, PLACES[[1, 3]])
    assert inside is not None
    assert outside is None
    assert known.data.sensitivity(PLACES[:1]).sum() == EXPOSURE
