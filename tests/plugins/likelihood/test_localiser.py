from __future__ import annotations

import dataclasses

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.catalogue.schema import DETECTIONS
from gammafind.errors import OptionError
from gammafind.plugins.clusterers.peaks import PeaksClusterer
from gammafind.plugins.clusterers.segmentation import SegmentationClusterer
from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.roles.clusterer import Clusterer
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from tests.fitting.skies import (
    aside,
    gaussian_psf,
    image,
    observe,
    random_sky,
    source_sky,
)
from tests.plugins.likelihood.helpers import finder, nearest, places

NOTHING = (np.zeros((0, 3)), np.zeros(0))


@pytest.mark.parametrize("angle", [0.0, 1.1])
@pytest.mark.parametrize("kind", ["healpix", "image"])
def test_a_faint_neighbour_of_a_bright_source_is_found(kind, angle):
    sigma = 2.0
    pixels = HealpixPixels(32) if kind == "healpix" else image(48, step=1.0)
    bright = unit_vectors(120.3, 44.6)
    pair = np.array([bright, aside(bright, 3 * sigma, angle)])
    rng = np.random.default_rng(1)
    sky = source_sky(pair, [1000, 30], pixels, gaussian_psf(sigma), level=0.05, rng=rng)
    found = finder().localise_sky(sky)
    distance, row = nearest(pair, found)
    assert np.all(distance < 3 * found["pos_err"].to_value("deg")[row])
    assert np.all(distance < [0.3, 2.0])
    assert row[0] != row[1]
    assert len(found) <= 3
    assert_allclose(found["npred"][row[0]], 1000, atol=130)
    assert_allclose(found["npred"][row[1]], 30, atol=25)


def test_an_empty_sky_has_few_detections():
    # The sky holds some 41253 / (4 pi sigma^2) = 820 independent places, a peak in each has a few
    # times the chance 3.2e-5 of TS > 16 at a fixed place: 0.1 a sky, so 3 in three are rarer
    # than one in a hundred.
    total = 0
    for seed in range(3):
        rng = np.random.default_rng(100 + seed)
        sky = source_sky(*NOTHING, HealpixPixels(32), gaussian_psf(2.0), level=3.0, rng=rng)
        total += len(finder().localise_sky(sky))
    assert total <= 2


def test_noise_peaks_above_a_low_threshold_are_as_many_as_chance_says():
    rng = np.random.default_rng(110)
    sky = source_sky(*NOTHING, HealpixPixels(32), gaussian_psf(2.0), level=3.0, rng=rng)
    found = finder(threshold=6.0).localise_sky(sky)
    assert 3 <= len(found) <= 60
    assert np.all(found["ts"] >= 6.0)


@pytest.mark.parametrize("pixels", [HealpixPixels(16), image(32)], ids=["healpix", "image"])
def test_a_sky_without_counts_gives_an_empty_table_with_all_columns(pixels):
    n = int(np.prod(pixels.shape))
    sky = observe([np.zeros(n)], [np.full(n, 2.0)], [pixels], [gaussian_psf(4.0)])
    found = finder().localise_sky(sky)
    assert len(found) == 0
    assert [c.name for c in DETECTIONS] == found.colnames[: len(DETECTIONS)]
    assert found["pos_err"].unit == u.deg
    assert found["flux"].unit.is_equivalent("cm-2 s-1")


def test_a_sky_without_background_or_counts_is_no_fault():
    pixels = HealpixPixels(16)
    zero = np.zeros(pixels.shape)
    found = finder().localise_sky(observe([zero], [zero], [pixels], [gaussian_psf(4.0)]))
    assert len(found) == 0


@pytest.fixture(scope="module")
def crowd():
    vectors, counts, sky = random_sky(20, sigma=2.0, n=25)
    return vectors, counts, sky, finder().localise_sky(sky)


def test_bright_sources_are_found_where_they_are(crowd):
    vectors, counts, _, found = crowd
    distance, _ = nearest(vectors[counts > 150], found)
    assert np.mean(distance < 1.0) > 0.9
    assert len(found) <= len(vectors) + 2
    assert np.all(found["ts"] >= 16)
    assert_array_equal(found["score"], found["ts"])
    assert np.all(np.diff(found["score"]) <= 0)


def test_equatorial_and_galactic_positions_agree(crowd):
    found = crowd[3]
    equatorial = SkyCoord(found["ra"], found["dec"], frame="icrs")
    galactic = SkyCoord(found["glon"], found["glat"], frame="galactic")
    assert equatorial.separation(galactic).max() < 1e-6 * u.deg


def test_one_sky_has_one_result(crowd):
    again = finder().localise_sky(crowd[2], rng=np.random.default_rng(99))
    for name in again.colnames:
        assert_array_equal(again[name], crowd[3][name])


def test_the_input_is_not_changed(crowd):
    sky = crowd[2]
    before = [array.copy() for array in (sky.counts.values[0], sky.exposure.values[0])]
    finder().localise_sky(sky)
    for kept, array in zip(before, (sky.counts.values[0], sky.exposure.values[0]), strict=True):
        assert_array_equal(kept, array)


@pytest.mark.parametrize(
    "clusterer",
    [
        PeaksClusterer(threshold=16.0),
        PeaksClusterer(threshold=16.0, refine="none"),
        SegmentationClusterer(threshold=16.0),
        SegmentationClusterer(threshold=16.0, deblend=True),
    ],
    ids=["peaks", "peaks-none", "segmentation", "segmentation-deblend"],
)
def test_any_clusterer_of_peaks_finds_the_same(crowd, clusterer: Clusterer):
    found = finder(clusterer=clusterer).localise_sky(crowd[2])
    default = crowd[3]
    bright = default["ts"] > 40
    distance, row = nearest(places(default)[bright], found)
    assert np.mean(distance < 0.1) > 0.9
    near = distance < 0.1
    assert_allclose(found["npred"][row[near]], default["npred"][bright][near], rtol=0.05)
    assert abs(len(found) - len(default)) <= 3


def test_a_masked_half_of_the_sky_holds_no_detection():
    _, _, whole = random_sky(21, sigma=2.0, n=30)
    pixels = whole.counts.pixels[0]
    north = pixels.vectors[:, 2] > 0
    filled = np.where(north, whole.counts.values[0], 500)
    masked = dataclasses.replace(
        whole,
        counts=dataclasses.replace(whole.counts, values=(filled,), valid=(north,)),
    )
    found, default = (finder().localise_sky(sky) for sky in (masked, whole))
    assert places(found)[:, 2].min() > -np.sin(np.radians(2.5))
    inner = places(default)[:, 2] > np.sin(np.radians(12))
    strong = inner & (default["ts"] > 25)
    distance, row = nearest(places(default)[strong], found)
    assert strong.sum() > 5
    assert np.all(distance < 0.15)
    assert_allclose(found["npred"][row], default["npred"][strong], rtol=0.06)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 0.0),
        ("threshold", -4.0),
        ("threshold", float("nan")),
        ("threshold", float("inf")),
        ("smoothing", -1.0),
        ("smoothing", float("nan")),
        ("separation", 0.0),
        ("separation", float("nan")),
        ("index", float("nan")),
        ("index", float("inf")),
    ],
)
def test_options_out_of_range_are_refused(name, value):
    with pytest.raises(OptionError, match=name):
        Likelihood(**{name: value})


@pytest.mark.parametrize("threshold", [9.0, 20.0, 1500.0])
def test_nothing_below_the_threshold_is_told(crowd, threshold):
    found = finder(threshold=threshold).localise_sky(crowd[2])
    assert np.all(found["ts"] >= threshold)


def test_a_source_at_the_pole_or_at_longitude_zero_is_found():
    true = np.array([[0.0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 1e-9, 0]])
    rng = np.random.default_rng(60)
    sky = source_sky(true, np.full(4, 400), HealpixPixels(32), gaussian_psf(2.0), level=1, rng=rng)
    found = finder().localise_sky(sky)
    distance, row = nearest(true, found)
    assert np.all(distance < 0.6)
    assert len(set(row)) == 4
    assert len(found) <= 5


def test_the_smoothing_of_the_background_follows_its_waves():
    pixels = HealpixPixels(32)
    wave = 1 + 0.4 * np.sin(2 * pixels.vectors[:, 0])
    background = np.full(pixels.shape, 10.0)
    rng = np.random.default_rng(61)
    sky = observe([wave * background], [background], [pixels], [gaussian_psf(2.0)], rng=rng)
    assert len(finder().localise_sky(sky)) <= 2
    assert len(Likelihood(threshold=16.0, smoothing=0.0).localise_sky(sky)) > 20


def test_false_detections_are_stated_for_each_ts_from_the_threshold_on():
    _, _, sky = random_sky(3, nside=16, sigma=3.0, n=2)
    stated = finder(threshold=12).localise_sky(sky).meta["expected_false_by_score"]
    assert [float(ts) for ts in stated][:3] == [12, 13, 14]
    assert all(np.diff([*stated.values()]) <= 0)
