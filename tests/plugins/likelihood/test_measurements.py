from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial import cKDTree

from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf_stamps import point_source_map
from tests.fitting.skies import (
    EXPOSURE,
    gaussian_psf,
    image,
    observe,
    source_sky,
    spread_out,
)
from tests.plugins.likelihood.helpers import finder, nearest, places


def test_a_masked_pixel_on_a_source_does_not_make_it_faint():
    pixels = HealpixPixels(32)
    vector = unit_vectors([50.0], [20.0])
    rng = np.random.default_rng(22)
    sky = source_sky(vector, [2000], pixels, gaussian_psf(3.0), level=0.5, rng=rng)
    valid = np.ones(pixels.shape, dtype=bool)
    valid[pixels.containing(vector)] = False
    masked = dataclasses.replace(sky, counts=dataclasses.replace(sky.counts, valid=(valid,)))
    found = finder().localise_sky(masked)
    distance, row = nearest(vector, found)
    assert distance[0] < 0.4
    assert_allclose(found["npred"][row[0]], 2000, atol=200)


def test_a_healpix_map_and_an_image_of_one_sky_agree():
    psf = gaussian_psf(1.5)
    flat = image(48, step=0.8, lon=120, lat=45)
    round_ = HealpixPixels(64)
    true = flat.at(np.array([12.0, 30, 36, 10]), np.array([11.0, 14, 36, 35]))
    counts = np.array([300.0, 400, 900, 500])
    per_degree = 1.0
    skies = [
        source_sky(
            true,
            counts,
            pixels,
            psf,
            level=per_degree * pixels.pixel_area.to_value("deg2"),
            rng=np.random.default_rng(23),
        )
        for pixels in (flat, round_)
    ]
    (one, other) = (finder().localise_sky(sky) for sky in skies)
    for found in (one, other):
        distance, row = nearest(true, found)
        assert np.all(distance < 4 * found["pos_err"].to_value("deg")[row] + 0.02)
        assert np.all(np.abs(found["npred"][row] - counts) < 4 * np.sqrt(counts))
    sizes = [f["pos_err"][nearest(true, f)[1]].value for f in (one, other)]
    assert_allclose(sizes[0], sizes[1], rtol=0.3)
    errors = [f["flux_err"][nearest(true, f)[1]].value for f in (one, other)]
    assert_allclose(errors[0], errors[1], rtol=0.1)


@pytest.fixture(scope="module")
def survey():
    rng = np.random.default_rng(30)
    true = spread_out(110, 12.0, rng=rng)
    counts = np.geomspace(80, 1500, len(true))
    sky = source_sky(true, counts, HealpixPixels(32), gaussian_psf(2.0), level=1.0, rng=rng)
    return true, counts, finder().localise_sky(sky)


def test_fluxes_are_right_within_their_errors(survey):
    true, counts, found = survey
    distance, row = nearest(true, found)
    near = distance < 2
    assert near.mean() > 0.97
    flux = found["flux"].to_value("cm-2 s-1")[row][near]
    error = found["flux_err"].to_value("cm-2 s-1")[row][near]
    pull = (flux - counts[near] / EXPOSURE) / error
    assert abs(np.median(pull)) < 0.35
    assert 0.8 < 1.4826 * np.median(np.abs(pull - np.median(pull))) < 1.25
    assert np.mean(np.abs(pull) < 3) > 0.97
    assert_allclose(flux, found["npred"][row][near] / EXPOSURE, rtol=1e-6)


def test_position_errors_hold_68_percent(survey):
    true, _, found = survey
    distance, row = nearest(true, found)
    near = distance < 2
    inside = distance[near] < found["pos_err"].to_value("deg")[row][near]
    assert 0.55 < inside.mean() < 0.85


def test_sources_are_not_doubled(survey):
    found = survey[2]
    assert len(found) <= 112
    distance, _ = cKDTree(places(found)).query(places(found), k=2)
    assert np.degrees(distance[:, 1]).min() > 2.0


def two_bands(rng=None):
    pixels = (HealpixPixels(16), HealpixPixels(32))
    psfs = (gaussian_psf(4.0), gaussian_psf(2.0))
    true = spread_out(12, 25.0, rng=np.random.default_rng(40))
    level = (2.0, 0.2)
    background = [np.full(p.shape, b) for p, b in zip(pixels, level, strict=True)]
    shares = (1 / (1 + 10**-1.3), 1 / (1 + 10**1.3))
    expected = [
        b + point_source_map(true, 500 * s * np.ones(12), p, f)
        for b, s, p, f in zip(background, shares, pixels, psfs, strict=True)
    ]
    return true, observe(expected, background, pixels, psfs, rng=rng)


def test_two_bands_of_different_pixels_work_together():
    true, sky = two_bands(np.random.default_rng(41))
    found = finder().localise_sky(sky)
    distance, row = nearest(true, found)
    assert np.all(distance < 1.5)
    assert_allclose(found["npred"][row], 500, atol=150)
    assert abs(np.mean(found["npred"][row]) - 500) < 40


def test_another_index_changes_the_shares_of_the_bands():
    true, sky = two_bands()
    right, wrong = (finder(index=i).localise_sky(sky) for i in (2.3, 1.0))
    ts = [f["ts"][nearest(true, f)[1]].sum() for f in (right, wrong)]
    assert ts[0] > 1.05 * ts[1]


@pytest.mark.parametrize("share", [0.02, 0.98])
def test_a_bright_source_of_another_spectrum_is_one_source(share):
    pixels = (HealpixPixels(32), HealpixPixels(32))
    psfs = (gaussian_psf(3.0), gaussian_psf(2.0))
    true = spread_out(8, 30.0, rng=np.random.default_rng(44))
    background = [np.full(p.shape, 1.0) for p in pixels]
    expected = [
        b + point_source_map(true, 5000 * s * np.ones(8), p, f)
        for b, s, p, f in zip(background, (share, 1 - share), pixels, psfs, strict=True)
    ]
    sky = observe(expected, background, pixels, psfs, rng=np.random.default_rng(45))
    found = finder().localise_sky(sky)
    distance, row = nearest(true, found)
    assert np.all(distance < 0.3)
    assert len(found) <= 9
    assert_allclose(found["npred"][row], 5000, rtol=0.06)
