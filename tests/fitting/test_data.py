from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.fitting.photons.data import (
    photon_shares,
    sky_data,
    source_size,
    source_sizes,
)
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.surroundings import gather
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import (
    EXPOSURE,
    aside,
    directions,
    gaussian_psf,
    image,
    observe,
    random_sky,
    source_sky,
)


def two_bands():
    pixels = (HealpixPixels(16), HealpixPixels(32))
    psfs = (gaussian_psf(4.0), gaussian_psf(2.0))
    flat = [np.full(p.shape, 2.0) for p in pixels]
    return sky_data(observe(flat, flat, pixels, psfs), index=2.0)


@pytest.mark.parametrize("index", [0.0, 1.0, 2.0, 2.7])
def test_photons_share_among_bands_as_a_power_law(index):
    edges = [(1.0, 3.0), (3.0, 10.0), (10.0, 1000.0)]
    energy = np.geomspace(1, 1000, 200_001)
    density = np.sqrt(energy[1:] * energy[:-1]) ** -index * np.diff(energy)
    middle = np.sqrt(energy[1:] * energy[:-1])
    expected = [density[(middle > low) & (middle < high)].sum() for low, high in edges]
    assert_allclose(photon_shares(edges, index), np.divide(expected, sum(expected)), rtol=1e-3)


def test_bands_of_the_same_energies_hold_the_same_photons():
    one = photon_shares([(1.0, 3.0), (3.0, 10.0)], 2.0)
    assert_allclose(photon_shares([(1.0, 3.0), (3.0, 10.0)] * 2, 2.0), [*one, *one])


def test_shares_of_a_source_sum_to_one_and_sensitivity_is_exposure():
    data = two_bands()
    vectors = directions(20, rng=np.random.default_rng(1))
    assert_allclose(data.shares(vectors).sum(axis=1), 1)
    assert_allclose(data.sensitivity(vectors).sum(axis=1), EXPOSURE)
    assert_allclose(data.shares(vectors)[0], photon_shares([(1, 10), (10, 100)], 2.0))


def test_source_maps_hold_the_counts_of_all_bands():
    data = two_bands()
    vectors = directions(5, rng=np.random.default_rng(2))
    maps = data.source_maps(vectors, 2000 * data.shares(vectors))
    assert_allclose(sum(array.sum() for array in maps), 10_000, rtol=0.01)


def test_a_template_sums_to_the_share_in_valid_pixels():
    vectors, _, sky = random_sky(3)
    data = sky_data(sky, index=2.3)
    template = gather(data, vectors[:, None]).weighted(data.shares(vectors)).templates[:, 0]
    assert_allclose(template.sum(axis=1), 0.975, atol=0.026)
    half = data.bands[0].pixels.vectors[:, 2] > 0
    masked = dataclasses.replace(data, bands=(dataclasses.replace(data.bands[0], valid=half),))
    template = gather(masked, vectors[:, None]).weighted(data.shares(vectors)).templates[:, 0]
    assert np.all(template[vectors[:, 2] < -0.2] == 0)
    assert_allclose(template[vectors[:, 2] > 0.2].sum(axis=1), 0.975, atol=0.026)


def test_the_size_of_a_source_is_that_of_the_sharpest_band():
    data = two_bands()
    r68 = data.bands[1].psf.containment_radius(0.68).value
    assert_allclose(source_size(data), np.hypot(r68, HealpixPixels(32).pixel_size.value))


def test_the_size_of_a_faint_source_lies_between_those_of_its_bands():
    vectors = directions(20, rng=np.random.default_rng(8))
    data = two_bands()
    largest = np.hypot(data.bands[0].psf.containment_radius(0.68).value, 3.66)
    sizes = source_sizes(data, vectors)
    assert np.all((sizes > source_size(data)) & (sizes < largest))
    models = [1e9 * data.bands[0].model, data.bands[1].model]
    blind = data.with_model(models, models)
    assert_allclose(source_sizes(blind, vectors), source_size(data), rtol=1e-6)
    _, _, one_band = random_sky(9)
    alone = sky_data(one_band, index=2.3)
    assert_allclose(source_sizes(alone, vectors), source_size(alone))


def test_positions_off_an_image_or_masked_are_outside():
    pixels = image(20, step=1.0)
    valid = np.ones((20, 20), dtype=bool)
    valid[:, :10] = False
    sky = source_sky(
        np.zeros((0, 3)), np.zeros(0), pixels, gaussian_psf(1.5), level=1.0, valid=valid
    )
    vectors = pixels.at(np.array([15.0, 4, 30, 19, -40]), np.array([10.0, 10, 10, 0, 10]))
    inside = sky_data(sky, index=2.3).inside(vectors)
    assert inside.tolist() == [True, False, False, True, False]


def test_a_scan_measures_what_was_put_in():
    rng = np.random.default_rng(4)
    vectors = directions(6, rng=rng)
    counts = np.array([30.0, 100, 300, 1000, 3000, 1e4])
    sky = source_sky(vectors, counts, HealpixPixels(32), gaussian_psf(2.5), level=1.0)
    fit = scan(sky_data(sky, index=2.3), vectors)
    assert_allclose(fit.amplitude, counts, rtol=0.04)
    assert np.all(np.diff(fit.ts) > 0)


def test_positions_about_a_place_are_scanned_as_they_are_alone():
    vectors, _, sky = random_sky(10)
    data = sky_data(sky, index=2.3)
    around = np.stack([[aside(v, d, a) for d, a in ((0, 0), (1, 0), (2, 4))] for v in vectors])
    together, alone = scan(data, around), scan(data, around.reshape(-1, 3))
    assert together.ts.shape == (len(vectors), 3)
    assert_allclose(together.ts.ravel(), alone.ts, rtol=0.03, atol=0.5)
    assert_allclose(together.amplitude.ravel(), alone.amplitude, rtol=0.03, atol=2)


def test_taking_a_source_out_of_its_model_gives_the_same_scan():
    vectors, _, sky = random_sky(5, n=6)
    data = sky_data(sky, index=2.3)
    counts = np.array([[50.0], [90], [200], [400], [800], [5000]])
    backgrounds = [band.background for band in data.bands]
    sources = data.source_maps(vectors, counts)
    full = data.with_model(
        backgrounds, [sum(pair) for pair in zip(backgrounds, sources, strict=True)]
    )
    clean, within = scan(data, vectors), scan(full, vectors, without=(vectors, counts))
    assert_allclose(within.amplitude, clean.amplitude, rtol=0.03, atol=2)
    assert_allclose(within.ts, clean.ts, rtol=0.05, atol=1)


def test_a_scan_of_nothing_is_empty():
    _, _, sky = random_sky(6)
    assert scan(sky_data(sky, index=2.3), np.zeros((0, 3))).ts.shape == (0,)


def test_the_chunks_of_a_scan_do_not_matter(monkeypatch):
    vectors, _, sky = random_sky(7)
    data = sky_data(sky, index=2.3)
    whole = scan(data, vectors)
    monkeypatch.setattr("gammafind.fitting.photons.scan._CHUNK", 3)
    assert_allclose(scan(data, vectors).ts, whole.ts)
