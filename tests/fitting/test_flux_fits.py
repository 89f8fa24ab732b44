"""Fluxes of known detections, on fine and on coarse maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from gammafind.fitting.photons.map_fit import fit_on_maps
from gammafind.fitting.photons.sky_fit import INDICES, counts_on_sky, fit_on_sky
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import (
    EXPOSURE,
    aside,
    gaussian_psf,
    king_psf,
    observe,
    source_sky,
    spread_out,
)

PLACES = np.array([[120.0, 45.0], [122.5, 44.0], [124.0, 46.5], [118.0, 46.0]])
COUNTS = np.array([400.0, 900.0, 200.0, 100.0])


def vectors_of(lonlat):
    lon, lat = np.radians(lonlat).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def positions(vectors):
    return SkyCoord(*vectors.T, representation_type="cartesian", frame="galactic")


@pytest.fixture(scope="module")
def fine():
    """Sources on pixels finer than the PSF."""
    return source_sky(
        vectors_of(PLACES),
        COUNTS,
        HealpixPixels(256),
        gaussian_psf(0.4),
        level=0.3,
        rng=np.random.default_rng(3),
    )


@pytest.mark.parametrize("solid", [True, False])
def test_counts_on_the_sky_are_those_of_the_sources(fine, solid):
    fit = fit_on_sky(fine, positions(vectors_of(PLACES)), np.full(4, solid))
    assert fit.ts.shape == (4, len(INDICES))
    ts, npred, error, exposure = fit.at_best()
    assert np.all(np.abs(npred - COUNTS) < 4 * error)
    assert np.all(ts > 50)
    assert_allclose(exposure, EXPOSURE, rtol=1e-3)
    assert_allclose(fit.background, 0.3, rtol=0.05)


def test_neighbours_in_the_model_are_no_part_of_a_source(fine):
    true = vectors_of(PLACES)
    between = vectors_of(PLACES[:1] + np.array([0.9, 0.0]))
    everything = positions(np.concatenate([true, between]))
    alone = fit_on_sky(fine, everything, np.zeros(5, dtype=bool))
    together = fit_on_sky(fine, everything, np.array([True] * 4 + [False]))
    assert together.ts[4].max() < 9
    assert alone.ts[4].max() > 4 * together.ts[4].max()


def test_where_there_is_nothing_ts_is_small(fine):
    empty = positions(vectors_of(np.array([[120.0, 42.5], [123.0, 48.0]])))
    fit = fit_on_sky(fine, empty, np.zeros(2, dtype=bool))
    assert fit.ts.max() < 12


def test_wings_of_bright_sources_are_no_sources():
    psf = king_psf(0.5)
    bright = vectors_of(PLACES[:1])
    around = np.stack([aside(bright[0], 6.0, angle) for angle in np.arange(0, 6.2, 0.4)])
    sky = source_sky(bright, [2e5], HealpixPixels(128), psf, level=0.5)
    places = positions(np.concatenate([bright, around]))
    solid = np.arange(len(around) + 1) == 0
    assert fit_on_sky(sky, places, solid).ts[1:].max() < 0.5
    assert fit_on_sky(sky, places, np.zeros(len(solid), dtype=bool)).ts[1:].min() > 10


def test_counts_are_those_of_the_sources_alone(fine):
    counts = counts_on_sky(fine, positions(vectors_of(PLACES)))
    assert counts.shape == (4, 1)
    assert_allclose(counts[:, 0], COUNTS, atol=4 * np.sqrt(COUNTS.max()))
    assert counts_on_sky(fine, positions(np.zeros((0, 3)))).shape == (0, 1)


def test_bands_tell_the_index():
    # Three bands; all photons in the first, or in the last.
    pixels = HealpixPixels(64)
    psf = gaussian_psf(1.5)
    place = vectors_of(np.array([[30.0, 30.0]]))
    flat = np.full(12 * 64**2, 2.0)
    source = source_sky(place, [600.0], pixels, psf, level=1e-9).counts.values[0].ravel()
    best = []
    for bright in (0, 2):
        expected = [flat + source * (i == bright) for i in range(3)]
        sky = observe(expected, [flat] * 3, [pixels] * 3, [psf] * 3, rng=np.random.default_rng(1))
        best.append(fit_on_sky(sky, positions(place), np.ones(1, bool)).ts[0].argmax())
    assert best == [len(INDICES) - 1, 0]


def test_counts_on_maps_are_those_of_the_sources():
    rng = np.random.default_rng(5)
    true = spread_out(25, 9, rng=rng)
    counts = rng.uniform(60, 600, 25)
    sky = source_sky(true, counts, HealpixPixels(64), gaussian_psf(0.8), level=1.0, rng=rng)
    fit = fit_on_maps(sky, positions(true), counts > 150)
    _, npred, error, exposure = fit.at_best()
    pull = (npred - counts) / error
    assert abs(pull.mean()) < 0.8
    assert 0.6 < pull.std() < 1.5
    assert_allclose(exposure, EXPOSURE, rtol=1e-3)
    assert_allclose(np.median(fit.background), 1.0, rtol=0.1)


def test_masked_pixels_do_not_count(fine):
    masked = fine.counts.valid[0].copy()
    near = fine.counts.pixels[0].vectors @ vectors_of(PLACES[1:2])[0]
    masked[near > np.cos(np.radians(1.2))] = False
    observation = replace(fine, counts=replace(fine.counts, valid=(masked,)))
    fit = fit_on_sky(observation, positions(vectors_of(PLACES)), np.ones(4, dtype=bool))
    assert fit.ts[1].max() == 0
    assert np.all(fit.ts[[0, 2, 3]].max(axis=1) > 50)
