from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.fine_band import fine_data, in_fine_bands
from gammafind.fitting.photons.resolution import at_own_resolution, on_search_pixels
from gammafind.fitting.photons.scan import scan
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf_stamps import point_source_map
from tests.fitting.skies import directions, king_psf, observe

NSIDE = 128
PSF = king_psf(0.4)


def faint_sky(rng, *, valid=None):
    """Few photons on narrow pixels, and the positions of 20 sources."""
    pixels = HealpixPixels(NSIDE)
    vectors = directions(20, rng=rng)
    flat = np.full(pixels.shape, 0.02)
    expected = flat + point_source_map(vectors, np.full(20, 30.0), pixels, PSF)
    return observe([expected], [flat], [pixels], [PSF], rng=rng, valid=valid), vectors


@pytest.fixture
def sky():
    return faint_sky(np.random.default_rng(3))


def coarse_and_fine(observation):
    """Data on wide pixels, and the same photons on their own."""
    coarse = at_own_resolution(observation, finer=True)
    data = sky_data(coarse, index=2.0, crop=True)
    return data, coarse.counts.finer


def test_few_photons_are_searched_on_wide_pixels_and_kept_on_their_own(sky):
    observation, _ = sky
    counts = on_search_pixels(observation.counts, observation.psfs)
    assert counts.pixels[0].nside < NSIDE
    (fine,) = counts.finer
    assert fine.counts.sum() == counts.values[0].sum() == observation.counts.values[0].sum()
    assert on_search_pixels(counts, observation.psfs) is counts


def test_many_photons_stay_on_their_pixels():
    pixels = HealpixPixels(NSIDE)
    flat = np.full(pixels.shape, 3.0)
    sky = observe([flat], [flat], [pixels], [PSF], rng=np.random.default_rng(1))
    assert on_search_pixels(sky.counts, sky.psfs) is sky.counts


def test_a_fit_on_filled_pixels_is_that_on_all_of_them(sky):
    observation, vectors = sky
    whole = scan(sky_data(observation, index=2.0), vectors)
    data, finer = coarse_and_fine(observation)
    fine = fine_data(data, finer, np.zeros((0, 3)), np.zeros((0, 1)), 2.0)
    found = scan(fine, vectors)
    assert_allclose(found.ts, whole.ts, rtol=0.05)
    assert_allclose(found.amplitude, whole.amplitude, rtol=0.08)
    assert np.median(found.ts / scan(data, vectors).ts) > 1.02


def test_a_source_of_the_model_can_be_removed_from_it(sky):
    observation, vectors = sky
    data, finer = coarse_and_fine(observation)
    counts = np.full((20, 1), 30.0)
    empty = fine_data(data, finer, np.zeros((0, 3)), np.zeros((0, 1)), 2.0)
    full = fine_data(data, finer, vectors, counts, 2.0)
    alone, without = scan(empty, vectors), scan(full, vectors, without=(vectors, counts))
    assert_allclose(without.ts, alone.ts, rtol=0.01)
    assert np.all(scan(full, vectors).ts < 0.3 * alone.ts)


def test_the_share_of_a_source_outside_the_known_sky_is_not_expected():
    rng = np.random.default_rng(5)
    pixels = HealpixPixels(NSIDE)
    valid = pixels.vectors[:, 2] > 0
    observation, _ = faint_sky(rng, valid=[valid])
    border = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    data, finer = coarse_and_fine(observation)
    fine = fine_data(data, finer, np.zeros((0, 3)), np.zeros((0, 1)), 2.0)
    band = fine.bands[0]
    near = band.near(border, border[:, None], containment=0.95, own=None, sampling=2.0)
    assert np.all((near.total[:, 0] > 0.2) & (near.total[:, 0] < 0.5))


def test_a_band_without_photons_expects_some(sky):
    observation, vectors = sky
    data, (fine,) = coarse_and_fine(observation)
    none = dataclasses.replace(fine, index=fine.index[:0], counts=fine.counts[:0])
    empty = fine_data(data, [none], np.zeros((0, 3)), np.zeros((0, 1)), 2.0)
    assert_allclose(scan(empty, vectors).ts, 0)


def test_counts_are_divided_among_the_parts_of_a_band(sky):
    observation, vectors = sky
    data, (fine,) = coarse_and_fine(observation)
    low, high = fine.edges
    middle = np.sqrt(low * high)
    parts = [
        FineCounts(0, (low, middle), fine.pixels, fine.index, fine.counts),
        FineCounts(0, (middle, high), fine.pixels, fine.index, fine.counts, exposure=0.5),
    ]
    counts = in_fine_bands(data, parts, vectors, np.full((20, 1), 10.0))
    assert_allclose(counts.sum(axis=1), 10)
    assert np.all(counts[:, 0] > counts[:, 1])
