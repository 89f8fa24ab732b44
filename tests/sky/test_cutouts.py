from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.errors import OptionError
from gammafind.sky.cutouts import (
    CutoutLayout,
    coarse_pixels,
    cutout_pixels,
    cutout_widths,
    on_coarse,
)
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import directions, image

NSIDES = (128, 128, 256, 512, 1024, 1024)


def test_the_widths_are_those_of_the_paper():
    pixels = [HealpixPixels(nside) for nside in NSIDES]
    assert cutout_widths(pixels) == (4, 4, 2, 1, 0.5, 0.5)
    layout = CutoutLayout().of(pixels)
    assert layout.widths == (4, 4, 2, 1, 0.5, 0.5)
    assert layout.epoch_width == 4


def test_widths_that_are_given_stay():
    layout = CutoutLayout(widths=(3.0,), epoch_width=1.5).of([HealpixPixels(128)])
    assert (layout.widths, layout.epoch_width) == ((3.0,), 1.5)
    with pytest.raises(OptionError, match="1 widths of cut-outs for 2 bands"):
        CutoutLayout(widths=(3.0,)).of([HealpixPixels(128)] * 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_pixels": 0}, "n_pixels is 0"),
        ({"widths": (0.0,)}, r"\[0.0\] and 0.0 deg"),
        ({"epoch_width": -1.0}, "-1.0 deg"),
    ],
)
def test_layouts_that_cannot_be_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        CutoutLayout(**options)


def test_counts_stay_whole_numbers_and_none_is_lost():
    rng = np.random.default_rng(1)
    pixels = HealpixPixels(64)
    counts = rng.poisson(3.0, pixels.shape)
    vectors = directions(50, rng=rng)
    cut = cutout_pixels(vectors, pixels, 8.0, 7)
    images = cut.cut(counts)
    assert images.shape == (50, 7, 7)
    assert_array_equal(images, np.rint(images))
    assert cut.inside.all()
    # A square of 8 deg of the tangent plane, cut out of the sphere.
    solid = 8**2 * np.mean(1 / (1 + 2 * (np.radians(8) / np.sqrt(12)) ** 2) ** 1.5)
    expected = 3 * solid / pixels.pixel_area.to_value("deg2")
    assert_allclose(images.sum(axis=(1, 2)).mean(), expected, rtol=0.02)


def test_what_is_expected_is_cut_as_counts_are():
    rng = np.random.default_rng(2)
    pixels = HealpixPixels(32)
    expected = rng.uniform(1, 20, pixels.shape)
    cut = cutout_pixels(directions(200, rng=rng), pixels, 16.0, 7)
    mean = cut.cut(expected)
    filled = mean > 0  # Some pixels hold no centre of a pixel of the map.
    assert filled.mean() > 0.95
    pull = ((cut.cut(rng.poisson(expected)) - mean)[filled]) / np.sqrt(mean[filled])
    assert_allclose(pull.mean(), 0, atol=0.05)
    assert_allclose(pull.std(), 1, atol=0.05)


@pytest.mark.parametrize(("lon", "lat"), [(0.0, 0.0), (120.0, 45.0), (200.0, -80.0)])
def test_north_is_up_and_east_is_left(lon, lat):
    pixels = image(41, 0.5, lon, lat)
    values = np.zeros(pixels.shape)
    values[20 + 6, 20 - 4] = 1  # 3 deg north, 2 deg east
    vector = pixels.at(20.0, 20.0)[None]
    images = cutout_pixels(vector, pixels, 7.0, 7).cut(values)
    assert np.argwhere(images[0]).tolist() == [[6, 1]]


def test_cut_outs_over_the_edge_are_flagged():
    pixels = image(41, 0.5)
    x = np.array([20.0, 36.0, 38.0])
    cut = cutout_pixels(pixels.at(x, np.full(3, 20.0)), pixels, 3.5, 7)
    assert cut.inside.tolist() == [True, True, False]


def test_cut_outs_without_data_are_flagged():
    pixels = HealpixPixels(32)
    vectors = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    valid = np.ones(pixels.shape, dtype=bool)
    valid[pixels.containing(vectors[1])] = False
    cut = cutout_pixels(vectors, pixels, 14.0, 7)
    assert cut.inside.tolist() == [True, True]
    assert cut.whole(valid).tolist() == [True, False]


@pytest.mark.parametrize(("size", "nside"), [(0.1, 64), (1.0, 64), (1.84, 32), (8.0, 8), (1e3, 1)])
def test_maps_are_summed_up_to_coarse_pixels(size, nside):
    pixels = HealpixPixels(64)
    counts = np.random.default_rng(4).poisson(2.0, pixels.shape)
    coarse = coarse_pixels(pixels, size)
    assert coarse == HealpixPixels(nside)
    summed = on_coarse(counts, pixels, coarse)
    assert summed.dtype.kind == "i"
    assert_array_equal(summed, np.bincount(coarse.containing(pixels.vectors), counts))


def test_images_are_not_summed_up():
    pixels = image(9, 0.5)
    assert coarse_pixels(pixels, 50.0) is pixels
    values = np.ones(pixels.shape)
    assert on_coarse(values, pixels, pixels) is values


def test_thousands_are_cut_as_one_by_one():
    rng = np.random.default_rng(3)
    pixels = HealpixPixels(16)
    vectors, values = directions(1003, rng=rng), rng.poisson(2.0, pixels.shape)
    together = cutout_pixels(vectors, pixels, 30.0, 7).cut(values)
    for i in (0, 999, 1000, 1002):
        alone = cutout_pixels(vectors[i : i + 1], pixels, 30.0, 7).cut(values)
        assert_array_equal(together[i], alone[0])


def test_there_may_be_none():
    cut = cutout_pixels(np.zeros((0, 3)), HealpixPixels(8), 30.0, 7)
    assert cut.cut(np.zeros(768)).shape == (0, 7, 7)


@pytest.mark.parametrize(("width", "n"), [(0.0, 7), (100.0, 7), (2.0, 0)])
def test_sizes_that_cannot_be_are_refused(width, n):
    with pytest.raises(OptionError, match="cut-outs of"):
        cutout_pixels(np.array([[1.0, 0, 0]]), HealpixPixels(8), width, n)
