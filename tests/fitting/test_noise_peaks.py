from __future__ import annotations

import numpy as np
import pytest

from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.noise_patches import Patch, parts_of, random_places, widest_band
from gammafind.fitting.photons.noise_peaks import NoisePeaks, Search, noise_peaks
from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import gaussian_psf, image, observe

SEARCH = Search(index=2.3, smoothing=0.0, threshold=9.0)


def flat_sky(levels, pixels, *, sigma=2.0, seed=0, valid=None):
    """Counts of a flat background, one level for each band."""
    maps = [np.full(int(np.prod(pixels.shape)), level) for level in levels]
    every = [pixels] * len(levels)
    masks = None if valid is None else [valid] * len(levels)
    rng = np.random.default_rng(seed)
    return observe(maps, maps, every, [gaussian_psf(sigma)] * len(levels), rng=rng, valid=masks)


def peaks_of(sky, search=SEARCH, **options) -> NoisePeaks:
    """Peaks of the noise of a sky."""
    data = sky_data(sky, index=search.index)
    return noise_peaks(data, search, rng=np.random.default_rng(1), **options)


@pytest.mark.parametrize("levels", [(3.0,), (0.02, 0.02)], ids=["many", "few in two bands"])
def test_as_many_detections_are_stated_as_a_search_finds_on_empty_skies(levels):
    pixels, finder = HealpixPixels(16), Likelihood(threshold=9, smoothing=0, extension=0)
    skies = [flat_sky(levels, pixels, sigma=4.0, seed=seed) for seed in range(4)]
    found = np.concatenate([finder.localise_sky(sky)["ts"] for sky in skies])
    stated = peaks_of(skies[0])
    for cut in (9, 12):
        expected = 4 * stated.above(cut)
        scatter = (expected + 1) ** 0.5
        assert np.sum(found >= cut) == pytest.approx(expected, abs=3 * scatter + 0.15 * expected)


def test_a_background_that_follows_the_counts_leaves_fewer_peaks():
    sky = flat_sky([3.0], HealpixPixels(16), sigma=4.0)
    fixed, fitted = (
        peaks_of(sky, Search(index=2.3, smoothing=width, threshold=9.0)) for width in (0, 24)
    )
    assert fitted.above(12) < fixed.above(12)


def test_the_number_of_peaks_grows_with_the_area():
    pixels = HealpixPixels(32)
    half = pixels.vectors[:, 2] > 0
    whole, part = (peaks_of(flat_sky([3.0], pixels, valid=valid)) for valid in (None, half))
    assert part.above(9) == pytest.approx(whole.above(9) / 2, rel=0.3)


def test_an_image_has_peaks_too():
    stated = peaks_of(flat_sky([3.0], image(24, step=1.0), sigma=1.0))
    assert 0 < stated.above(16) < stated.above(9)
    assert stated.error(9) < 0.3 * stated.above(9)


def test_photons_on_finer_pixels_are_left_out_of_an_image():
    sky = flat_sky([3.0], image(24, step=1.0), sigma=1.0)
    band = sky_data(sky, index=SEARCH.index).bands[0]
    assert peaks_of(sky, finer=[photons(band, 64)]).above(9) == peaks_of(sky).above(9)


def test_a_sky_without_valid_pixels_has_no_peaks():
    pixels = HealpixPixels(8)
    sky = flat_sky([1.0], pixels, valid=np.zeros(pixels.shape, dtype=bool))
    assert peaks_of(sky).above(0) == 0


def photons(band, nside, **options) -> FineCounts:
    """Fine pixels of a band without photons in them."""
    none, pixels = np.zeros(0, dtype=int), HealpixPixels(nside)
    return FineCounts(0, band.edges, pixels, none, none, **options)


def test_few_photons_are_measured_on_fine_pixels_as_far_as_the_psf_needs():
    data = sky_data(flat_sky([0.01], HealpixPixels(16), sigma=1.0), index=2.3)
    fine = photons(data.bands[0], 1024)
    assert [part.pixels.nside for part in parts_of(data, [])] == [16]
    assert [part.pixels.nside for part in parts_of(data, [fine])] == [256]


def test_fine_pixels_of_a_patch_make_the_pixels_that_are_searched():
    data = sky_data(flat_sky([0.5], HealpixPixels(16), sigma=3.0), index=2.3)
    band = data.bands[0]
    widest, area = widest_band(data)
    vectors = random_places(widest, 3, np.random.default_rng(2))
    assert area == pytest.approx(4 * np.pi)
    coarse, fine = (
        Patch.of(band, parts_of(data, finer)[0], vectors, reach=0.01, smoothing=0)
        for finer in ([], [photons(band, 64)])
    )
    assert fine.divided == 16
    np.testing.assert_allclose(fine.searched(fine.model), coarse.model, rtol=1e-6)
    shares = [one.searched(one.shares(vectors[:, None])) for one in (coarse, fine)]
    np.testing.assert_allclose(shares[1], shares[0], atol=0.01)


def test_parts_of_a_band_that_only_share_its_photons_change_no_number():
    sky = flat_sky([0.2], HealpixPixels(16), sigma=3.0)
    band = sky_data(sky, index=2.3).bands[0]
    halves = [
        photons(band, 32, exposure=0.5, background=np.full(12, 0.5), psf=band.psf) for _ in range(2)
    ]
    whole, divided = (peaks_of(sky, finer=one) for one in ([photons(band, 32)], halves))
    assert divided.above(9) == pytest.approx(whole.above(9), rel=0.3)
