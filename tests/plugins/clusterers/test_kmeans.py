"""k-means of pixels."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.plugins.clusterers.kmeans import KMeansClusterer, fit_means
from tests.plugins.clusterers.maps import disc_map, nearest_distance


@pytest.mark.parametrize(
    "places",
    [
        [(60, 60), (68, 60)],
        [(40, 40), (48, 40), (56, 40)],
        [(40, 40), (48, 40), (44, 47)],
    ],
)
def test_touching_discs_are_parted(places):
    found = KMeansClusterer().cluster(disc_map(places, noise=0))
    assert len(found) == len(places)
    assert nearest_distance(found, places).max() <= 1


def test_the_means_part_the_points():
    rng = np.random.default_rng(0)
    centres = np.array([(0, 0), (30, 0), (0, 30)])
    points = np.concatenate([centre + rng.normal(0, 2, (50, 2)) for centre in centres])
    means, nearest = fit_means(points, np.ones(150), limit=18, max_means=10)
    assert len(means) == 3
    for index in range(3):
        np.testing.assert_allclose(means[index], points[nearest == index].mean(axis=0), atol=1e-5)


def test_no_more_means_than_allowed():
    found = KMeansClusterer(max_clusters=3).cluster(np.ones((60, 60)))
    assert len(found) == 3
    assert found["n_pixels"].sum() == 3600


def test_the_result_does_not_change_from_run_to_run():
    image = disc_map([(40, 40), (48, 40), (44, 47)], on_discs=True)
    one, two = (KMeansClusterer().cluster(image) for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one.colnames)


@pytest.mark.parametrize("options", [{"threshold": 0}, {"radius": 0}, {"max_clusters": 0}])
def test_options_out_of_range_are_named(options):
    with pytest.raises(OptionError, match=next(iter(options))):
        KMeansClusterer(**options)
