from __future__ import annotations

import numpy as np
import pytest
from ideal import ideal_peaks, noise_peaks, source_ts
from numpy.testing import assert_allclose

from gammafind.fitting.photons.data import sky_data
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import gaussian_psf, source_sky, spread_out

SIGMA, LEVEL = 2.0, 2.0


@pytest.fixture(scope="module")
def known():
    """Data whose model is all that is expected, with positions and counts of the sources."""
    rng = np.random.default_rng(8)
    true = spread_out(40, 14, rng=rng)
    counts = rng.uniform(5, 300, 40)
    pixels, psf = HealpixPixels(32), gaussian_psf(SIGMA)
    expected = source_sky(true, counts, pixels, psf, level=LEVEL)
    sky = source_sky(true, counts, pixels, psf, level=LEVEL, rng=rng)
    flat = np.full(12 * 32**2, LEVEL)
    everything = expected.counts.values[0].ravel().astype(float)
    data = sky_data(sky, index=2.3).with_model([flat], [everything])
    return data, true, counts[:, None]


def test_bright_sources_have_the_ts_that_their_counts_promise(known):
    data, true, counts = known
    ts, places = source_ts(data, true, counts)
    bright = np.flatnonzero(counts[:, 0] > 150)
    expected = []
    for i in bright:
        alone = source_sky(true[[i]], counts[i], HealpixPixels(32), gaussian_psf(SIGMA), level=0.0)
        s = alone.counts.values[0].ravel()
        expected.append(2 * ((LEVEL + s) * np.log1p(s / LEVEL) - s).sum())
    assert_allclose(np.median(ts[bright] / expected), 1, atol=0.15)
    assert np.degrees(np.arccos(np.sum(places * true, axis=1).clip(-1, 1))).max() < 0.14


def test_noise_peaks_are_few_and_low_where_all_is_known(known):
    data, _, _ = known
    _, ts = noise_peaks(data, least=9.0)
    assert len(ts) < 25
    assert ts.max(initial=0) < 25


def test_noise_peaks_are_the_sources_where_these_are_not_known(known):
    data, true, _ = known
    flat = np.full(12 * 32**2, LEVEL)
    vectors, ts = noise_peaks(data.with_model([flat], [flat]), least=60.0)
    apart = np.degrees(np.arccos((vectors @ true.T).max(axis=1).clip(-1, 1)))
    assert len(ts) > 5
    assert np.median(apart) < 1.0


def test_peaks_name_their_sources(known):
    data, true, counts = known
    peaks = ideal_peaks(data, true, counts, least=6.0)
    of_source = peaks.source >= 0
    assert np.all(peaks.ts >= 6)
    assert len(set(peaks.source[of_source])) == of_source.sum() > 10
    apart = np.sum(peaks.vectors[of_source] * true[peaks.source[of_source]], axis=1)
    assert np.degrees(np.arccos(apart.clip(-1, 1))).max() < 0.14
