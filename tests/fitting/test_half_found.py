from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.half_found import asimov_counts, half_found_counts
from gammafind.fitting.photons.known_sky import known_sky
from gammafind.fitting.photons.likelihood import fit_amplitudes
from gammafind.fitting.photons.sensitivity import half_found_fluxes
from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import positions_of, vectors_in
from tests.fitting.skies import gaussian_psf, observe, source_sky, spread_out

PIXELS, PSF = HealpixPixels(32), gaussian_psf(1.5)
CUT = 16.0


def flat(level, *, vectors=None, counts=None, valid=None, seed=0):
    some = np.zeros((0, 3)) if vectors is None else vectors
    rng = np.random.default_rng(seed)
    of_each = np.zeros(0) if counts is None else counts
    return source_sky(some, of_each, PIXELS, PSF, level=level, valid=valid, rng=rng)


def fluxes(observation, data=None, seed=0, nside=4):
    data = sky_data(observation, index=2.3, crop=True) if data is None else data
    return half_found_fluxes(data, HealpixPixels(nside), CUT, rng=np.random.default_rng(seed))


def test_the_asimov_ts_of_the_counts_is_the_wanted_one():
    rng = np.random.default_rng(0)
    template = rng.uniform(0, 1, (5, 30))
    template /= template.sum(axis=1, keepdims=True)
    model = 10.0 ** rng.uniform(-4, 3, (5, 1)) * np.ones((5, 30))
    counts = asimov_counts(template, model, 25.0)
    expected = model + counts[:, None] * template
    np.testing.assert_allclose(fit_amplitudes(expected, model, template).ts, 25, rtol=1e-4)


def test_a_place_without_exposure_needs_infinite_counts():
    counts = asimov_counts(np.zeros((1, 4)), np.ones((1, 4)), CUT)
    assert np.isinf(counts[0])


def test_with_many_counts_the_fit_of_the_position_lowers_the_flux():
    """The median of a non-central chi-squared of three degrees of freedom is the cut."""
    data = sky_data(flat(300.0), index=2.3)
    places = HealpixPixels(4).vectors
    found = half_found_counts(data, places, CUT, rng=np.random.default_rng(0))
    assert np.median(found.counts / found.asimov) == pytest.approx(np.sqrt(14 / 16), abs=0.02)


def test_half_of_the_injected_sources_are_found():
    """So few at a time that they do not change the norm of the background."""
    rng = np.random.default_rng(2)
    vectors = spread_out(15, 20, rng=rng)
    counts = half_found_counts(sky_data(flat(2.0), index=2.3), vectors, CUT, rng=rng).counts
    shares = []
    for seed in range(8):
        sky = flat(2.0, vectors=vectors, counts=counts, seed=seed)
        found = Likelihood(threshold=CUT, smoothing=0).localise_sky(sky)
        at = vectors_in("galactic", SkyCoord(found["ra"], found["dec"]))
        shares.append((vectors @ at.T).max(axis=1) > np.cos(np.radians(2.5)))
    assert np.mean(shares) == pytest.approx(0.5, abs=0.14)


def test_four_times_the_background_needs_about_twice_the_flux():
    low, high = (np.median(fluxes(flat(level))) for level in (50.0, 200.0))
    assert high / low == pytest.approx(2, rel=0.1)


def test_the_flux_is_not_known_where_there_are_no_counts():
    valid = PIXELS.vectors[:, 2] > 0
    flux = fluxes(flat(2.0, valid=valid))
    north = HealpixPixels(4).vectors[:, 2]
    assert np.isfinite(flux[north > 0.3]).all()
    assert np.isnan(flux[north < -0.3]).all()


def test_a_source_is_harder_to_find_on_top_of_another():
    place = HealpixPixels(4).vectors[:1]
    sky = flat(2.0, vectors=place, counts=np.array([2000.0]))
    data = sky_data(sky, index=2.3)
    known = known_sky(sky, positions_of(place, data.frame), index=2.3)[0].data
    alone, beside = (
        half_found_counts(d, place, CUT, rng=np.random.default_rng(0)).counts[0]
        for d in (data, known)
    )
    assert beside > 4 * alone


def test_several_bands_are_better_than_one():
    parts = [np.full(PIXELS.shape, 5.0)] * 2
    both = observe(parts, parts, [PIXELS] * 2, [PSF] * 2)
    one = observe(parts[:1], parts[:1], [PIXELS], [PSF])
    some = np.array([[1.0, 0, 0]])
    counts = [
        half_found_counts(sky_data(sky, index=2.0), some, CUT, rng=np.random.default_rng(0))
        for sky in (both, one)
    ]
    assert np.isfinite(counts[0].counts[0])
    assert counts[0].counts[0] < 2 * counts[1].counts[0]
