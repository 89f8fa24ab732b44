from __future__ import annotations

import numpy as np

from gammafind.catalogue.association.density import local_density
from gammafind.sky.projection import unit_vectors
from tests.catalogue.association.skies import objects

SKY = 4 * np.pi * np.degrees(1) ** 2


def vectors(table):
    return unit_vectors(table["ra"].value, table["dec"].value)


def test_the_density_of_a_uniform_sky_is_found():
    rng = np.random.default_rng(1)
    members, places = vectors(objects(rng, 8000)), vectors(objects(rng, 400))
    found = local_density(places, members, np.full(400, 0.2))
    assert abs(found.mean() / (8000 / SKY) - 1) < 0.05


def test_what_is_near_a_place_does_not_count():
    rng = np.random.default_rng(2)
    members = vectors(objects(rng, 4000))
    place = unit_vectors(np.array([10.0]), np.array([5.0]))
    crowd = unit_vectors(10 + rng.normal(0, 0.01, 20), 5 + rng.normal(0, 0.01, 20))
    alone = local_density(place, members, np.array([0.3]))
    crowded = local_density(place, np.concatenate([members, crowd]), np.array([0.3]))
    np.testing.assert_allclose(crowded, alone, rtol=0.1)


def test_a_few_counterparts_have_a_small_density_that_is_not_zero():
    place = unit_vectors(np.array([0.0, 180.0]), np.array([0.0, 0.0]))
    members = unit_vectors(np.array([3.0]), np.array([1.0]))
    found = local_density(place, members, np.array([0.2, 0.2]))
    assert np.all(found > 0)
    assert found[0] > found[1]
    assert np.all(found < 0.01)
