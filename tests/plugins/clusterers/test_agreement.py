"""Every registered clusterer on the same score maps."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.roles.clusterer import Clusterer
from gammafind.roles.registry import create, plugins
from tests.plugins.clusterers.maps import PLACES, disc_map, nearest_distance, ts_map

NAMES = [info.name for info in plugins("clusterer") if info.error is None]


@pytest.fixture(params=NAMES)
def clusterer(request: pytest.FixtureRequest) -> Clusterer:
    return create("clusterer", request.param)


def test_the_four_built_in_clusterers_are_registered():
    assert {"disk", "peaks", "segmentation", "kmeans"} <= set(NAMES)


def test_isolated_discs_are_found_once_within_a_pixel(clusterer):
    found = clusterer.cluster(disc_map())
    assert len(found) == len(PLACES)
    assert nearest_distance(found, PLACES).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_noise_on_the_discs_does_not_split_them(name):
    options = {"smoothing": 2.0} if name == "peaks" else {}
    found = create("clusterer", name, **options).cluster(disc_map(on_discs=True))
    assert len(found) == len(PLACES)
    assert nearest_distance(found, PLACES).max() <= 1


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("peaks", {"threshold": 16}),
        ("segmentation", {"threshold": 16}),
        ("kmeans", {"threshold": 16}),
        ("disk", {"threshold": 400, "step": 20}),
    ],
)
def test_isolated_peaks_of_a_ts_map_are_found_once(name, options):
    found = create("clusterer", name, **options).cluster(ts_map(PLACES, peak=60))
    assert len(found) == len(PLACES)
    assert nearest_distance(found, PLACES).max() <= 1


def test_an_empty_map_gives_no_cluster(clusterer):
    assert len(clusterer.cluster(np.zeros((128, 128)))) == 0


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (3, 2), (1, 9)])
def test_maps_smaller_than_a_kernel_are_searched(clusterer, shape):
    assert len(clusterer.cluster(np.zeros(shape))) == 0
    found = clusterer.cluster(np.full(shape, 50.0))
    assert len(found) == (np.prod(shape) > 0)


def test_nan_holds_no_source(clusterer):
    image = disc_map()
    image[:, 90:] = np.nan
    kept = [place for place in PLACES if place[0] < 85]
    found = clusterer.cluster(image)
    assert len(found) == len(kept)
    assert nearest_distance(found, kept).max() <= 1
    assert len(clusterer.cluster(np.full((20, 20), np.nan))) == 0


def test_a_lone_bright_pixel_is_one_source(clusterer):
    image = np.zeros((41, 41))
    image[25, 12] = 100
    found = clusterer.cluster(image)
    assert len(found) == 1
    assert nearest_distance(found, [(12, 25)]).max() <= 0.5


@pytest.mark.parametrize("place", [(0, 64), (127, 64), (64, 0), (64, 127), (2, 64)])
def test_a_source_at_the_edge_is_found_within_its_radius(clusterer, place):
    found = clusterer.cluster(disc_map([place]))
    assert len(found) == 1
    assert nearest_distance(found, [place]).max() <= 2.5


def test_a_saturated_map_ends_and_stays_inside(clusterer):
    found = clusterer.cluster(np.ones((64, 64)))
    assert len(found) >= 1
    assert np.all((found["x"].value >= 0) & (found["x"].value <= 63))
    assert np.all((found["y"].value >= 0) & (found["y"].value <= 63))


def test_scores_of_any_size_are_searched(clusterer):
    found = clusterer.cluster(disc_map(noise=0) * 1e200)
    assert len(found) == len(PLACES)
    assert nearest_distance(found, PLACES).max() <= 1
