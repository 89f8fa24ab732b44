"""What a ranking is told of detections on a sky."""

from __future__ import annotations

import numpy as np

from gammafind.fitting.photons.clumps import ClumpFit
from gammafind.fitting.photons.flux_fit import FluxFit
from gammafind.plugins.unet.sky_evidence import sky_evidence

PLACES = np.array([[0.0, 0.0], [1.0, 1.0], [40.0, 0.0]])
SCORE, SIGMA, UNEVEN = np.array([0.0, 0.5, 1.0]), np.array([0.1, 1, 9]), np.array([0, 0.99, 2])


def vectors():
    lon, lat = np.radians(PLACES).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def fit(ts, clumps=None):
    ts = np.asarray(ts, dtype=float)
    ones = np.ones_like(ts)
    return FluxFit(ts, ones, ones, ones, np.ones((len(ts), 2)), clumps)


def test_evidence_is_finite_at_the_ends_of_its_range():
    known = sky_evidence(SCORE, SIGMA, fit([[0], [9], [1e7]]), UNEVEN, vectors())
    assert known.shape == (3, 5)
    assert np.all(np.isfinite(known))
    np.testing.assert_allclose(known[1], [0, 0, 0, 0, np.log(10)])


def test_neighbours_tell_where_there_are_clumps():
    point, clump = np.array([[3.0, 1.0], [0, 0], [5, 5]]), np.array([[8.0, 9.0], [2, 3], [0, 0]])
    both = ClumpFit(point, clump)
    known = sky_evidence(SCORE, SIGMA, fit([[0], [9], [20]], both), UNEVEN, vectors())
    assert known.shape == (3, 5 + 4 + 2)
    np.testing.assert_allclose(known[:, 5:9], np.log1p(np.hstack([point, clump])))
    of_first = 0.5 / (0.5 + 0.5) * (np.log1p([3, 0]) - np.log(10))
    np.testing.assert_allclose(known[0, 9:], of_first)
    np.testing.assert_allclose(known[2, 9:], 0)


def test_it_is_told_which_look_found_a_source():
    hidden = np.array([False, True, False])
    known = sky_evidence(SCORE, SIGMA, fit([[0], [9], [1e7]]), UNEVEN, vectors(), hidden)
    np.testing.assert_allclose(known[:, -1], hidden)
    assert known.shape == (3, 6)
