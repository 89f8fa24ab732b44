from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import maximum_filter

from gammafind.errors import OptionError
from gammafind.networks.logits import sigmoid
from gammafind.networks.peaks import find_clusters, find_maxima, local_maxima
from gammafind.plugins.clusterers.disk import DiskClusterer
from gammafind.testing import disc_map


@pytest.mark.parametrize("radius", [1.0, 1.5, 2.0, 3.2])
def test_maxima_are_those_of_the_maximum_filter(radius):
    maps = np.random.default_rng(1).normal(size=(3, 40, 30))
    reach = np.arange(-4, 5)
    footprint = reach[:, None] ** 2 + reach**2 <= radius**2
    highest = np.stack([maximum_filter(m, footprint=footprint, mode="nearest") for m in maps])
    expected = np.nonzero((maps == highest) & (maps >= 0.5))
    assert_array_equal(local_maxima(maps, least=0.5, radius=radius), expected)


def test_a_plateau_is_one_maximum():
    maps = np.zeros((1, 20, 20))
    maps[0, 4:6, 7:9] = 2.0
    assert_array_equal(local_maxima(maps, least=1.0, radius=2.0), [[0], [4], [7]])
    constant = np.ones((2, 9, 9))
    assert_array_equal(local_maxima(constant, least=1.0, radius=2.0), [[0, 1], [0, 0], [0, 0]])


def test_a_radius_below_a_pixel_is_refused():
    with pytest.raises(OptionError, match=r"radius of maxima is 0\.5"):
        local_maxima(np.zeros((1, 3, 3)), least=0, radius=0.5)


def test_detections_lie_where_the_network_puts_them_and_within_the_patch():
    output = np.full((2, 16, 16, 4), -9.0, dtype=np.float32)
    output[0, 3, 5] = [2.0, 0.3, -0.6, np.log(0.7)]
    output[1, 0, 15] = [4.0, 0.9, -7.0, 30.0]
    found = find_maxima(output, least=0.0, radius=2.0)
    assert_array_equal(found.patch, [0, 1])
    assert_allclose(found.x, [5.3, 15.5], rtol=1e-6)
    assert_allclose(found.y, [2.4, -0.5], rtol=1e-6)
    assert_allclose(found.score, [2.0, 4.0])
    assert_allclose(found.sigma, [0.7, np.exp(3)], rtol=1e-6)


def test_clusterers_see_scores_between_zero_and_one_and_errors_follow():
    places = ((14, 20), (44, 20), (30, 46))
    score = np.clip(np.stack([disc_map(places), disc_map(places[:1])]), 0.02, 0.98)
    output = np.zeros((2, 64, 64, 4))
    output[..., 0] = np.log(score / (1 - score))
    output[..., 3] = np.log(1 + np.arange(64.0))
    found = find_clusters(output, DiskClusterer())
    assert_array_equal(found.patch, [0, 0, 0, 1])
    assert_allclose(sorted(found.x[:3]), [14, 30, 44], atol=1)
    assert_allclose(found.sigma, np.minimum(1 + np.rint(found.x), np.exp(3)))
    assert np.all((found.score > 30) & (found.score <= 81))
    assert find_clusters(output[..., :1], DiskClusterer()).sigma is None
    assert len(find_clusters(output[:0], DiskClusterer()).x) == 0


def test_the_sigmoid_of_large_numbers_is_no_overflow():
    assert_allclose(sigmoid(np.array([-1000, -2.0, 0, 1000])), [0, 1 / (1 + np.e**2), 0.5, 1])
