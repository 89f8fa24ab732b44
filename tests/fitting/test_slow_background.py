from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.fitting.photons.slow_background import (
    rough_factor,
    scaled_background,
    slow_factor,
    unevenness,
)
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf_stamps import point_source_map
from gammafind.sky.skymap import SkyMap
from tests.fitting.skies import directions, gaussian_psf

NSIDES = (64, 128)
LEVEL = 60.0
"""Counts in a pixel of nside 64."""


def wave(nside: int) -> np.ndarray:
    """A factor of 0.7 to 1.3 that changes over 30 degrees."""
    theta, phi = hp.pix2ang(nside, np.arange(12 * nside**2))
    return 1 + 0.3 * np.sin(theta) ** 3 * np.cos(3 * phi)


def sky(factor, *, sources=None, rng) -> Observation:
    """Flat background; the counts are those of a background times a factor, and of sources."""
    bands, pixels = energy_bands([1, 3, 10] * u.GeV), tuple(map(HealpixPixels, NSIDES))
    psf = gaussian_psf(0.8)
    flat = [np.full(12 * n**2, LEVEL * (64 / n) ** 2) for n in NSIDES]
    mean = [b * factor(n) for b, n in zip(flat, NSIDES, strict=True)]
    for vector, counts in sources or ():
        mean = [
            m + point_source_map(vector[None], np.array([counts]), p, psf)
            for m, p in zip(mean, pixels, strict=True)
        ]
    counts = SkyMap(bands, pixels, tuple(map(rng.poisson, mean)), "counts")
    background = SkyMap(bands, pixels, tuple(flat), "expected counts")
    exposure = SkyMap(bands, pixels, tuple(np.full(b.size, 1e11) for b in flat), "exposure")
    return Observation(counts, {"flat": background}, exposure, (psf, psf))


def none(nside):
    return np.ones(12 * nside**2)


def test_a_background_that_is_right_stays():
    observation = sky(none, rng=np.random.default_rng(1))
    found = slow_factor(observation, np.zeros((0, 3)), np.zeros((0, 2)))
    assert_allclose(found, 1, atol=0.06)
    assert np.std(found) < 0.01


def test_a_background_that_is_off_is_brought_to_the_counts():
    observation = sky(wave, rng=np.random.default_rng(2))
    found = slow_factor(observation, np.zeros((0, 3)), np.zeros((0, 2)))
    assert np.std(found / wave(64)) < 0.03
    assert np.std(found / wave(64)) < 0.2 * np.std(wave(64))
    rough = rough_factor(observation)
    assert np.std(rough / wave(64) / np.mean(rough / wave(64))) < 0.06


def test_sources_that_are_known_are_no_background():
    rng = np.random.default_rng(3)
    vectors = directions(12, rng=rng)
    observation = sky(none, sources=[(v, 4000.0) for v in vectors], rng=rng)
    known = slow_factor(observation, vectors, np.full((12, 2), 4000.0))
    at = hp.vec2pix(64, *vectors.T)
    assert_allclose(known[at], 1, atol=0.15)
    unknown = slow_factor(observation, np.zeros((0, 3)), np.zeros((0, 2)))
    assert np.all(unknown[at] > 1.5)
    rough = rough_factor(observation)
    assert np.abs(np.median(rough) * 1.06 - 1) < 0.02
    assert rough[at].max() < 1.3


def test_pixels_without_data_change_nothing():
    observation = sky(none, rng=np.random.default_rng(4))
    half = [hp.pix2ang(n, np.arange(12 * n**2))[0] < np.pi / 2 for n in NSIDES]
    values = tuple(
        np.where(h, v, np.nan) for h, v in zip(half, observation.counts.values, strict=True)
    )
    counts = replace(observation.counts, values=values, valid=tuple(half))
    part = replace(observation, counts=counts)
    for found in (slow_factor(part, np.zeros((0, 3)), np.zeros((0, 2))), rough_factor(part)):
        assert np.all(np.isfinite(found))
        north = hp.pix2ang(64, np.arange(49152))[0] < np.radians(80)
        assert_allclose(np.median(found[north]), 1, atol=0.07)


@pytest.mark.parametrize("factor", [1.0, 1.7])
def test_a_background_is_scaled_on_all_its_pixels(factor):
    observation = sky(none, rng=np.random.default_rng(5))
    scaled = scaled_background(observation, np.full(49152, factor))["scaled"]
    for old, new in zip(observation.background["flat"].values, scaled.values, strict=True):
        assert_allclose(new, factor * old, rtol=0.03)  # The poles of HEALPix are the worst.
        assert_allclose(np.median(new / old), factor, rtol=1e-3)


def test_it_is_told_by_how_much_a_background_was_off():
    observation = sky(none, rng=np.random.default_rng(6))
    half = np.where(hp.pix2ang(64, np.arange(49152))[0] < np.pi / 2, 1.5, 1.0)
    fitted = replace(observation, background=scaled_background(observation, half))
    found = unevenness(observation, fitted, np.array([[0.3, 0, 1.0], [0.3, 0, -1.0]]))
    assert_allclose(found, [np.log(1.5), 0], atol=0.02)
    assert_allclose(unevenness(observation, observation, np.eye(3)), 0, atol=1e-6)
