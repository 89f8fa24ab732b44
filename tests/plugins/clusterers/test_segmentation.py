"""Segments and their deblending."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.plugins.clusterers.segmentation import SegmentationClusterer
from tests.plugins.clusterers.maps import disc_map, nearest_distance, ts_map


def test_the_centroid_is_weighted_by_the_score():
    image = np.zeros((9, 9))
    image[4, 2:5] = 1, 1, 2
    found = SegmentationClusterer().cluster(image)
    assert (found["x"][0].value, found["y"][0].value) == (3.25, 4)
    assert (found["score"][0], found["n_pixels"][0]) == (2, 3)


def test_small_segments_are_left_out():
    image = disc_map(noise=0)
    image[5, 5] = 1
    assert len(SegmentationClusterer().cluster(image)) == 6
    assert len(SegmentationClusterer(min_pixels=2).cluster(image)) == 5


def test_deblending_parts_neighbours():
    pytest.importorskip("skimage")
    places = [(60, 60), (68, 60)]
    image = ts_map(places, peak=100)
    assert len(SegmentationClusterer(threshold=16).cluster(image)) == 1
    found = SegmentationClusterer(threshold=16, deblend=True, contrast=0.05).cluster(image)
    assert len(found) == 2
    assert nearest_distance(found, places).max() <= 1


def test_deblending_without_scikit_image_says_what_to_install(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "gammafind.plugins.clusterers.segmentation.find_spec",
        lambda name: None if name == "skimage" else real(name),
    )
    with pytest.raises(OptionError, match="scikit-image"):
        SegmentationClusterer(deblend=True)


@pytest.mark.parametrize("options", [{"threshold": 0}, {"min_pixels": 0}, {"contrast": 2}])
def test_options_out_of_range_are_named(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        SegmentationClusterer(**options)
