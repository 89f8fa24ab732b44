"""Local density of counterparts: how many would be near a place by chance."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from gammafind.sky.projection import local_bases

_NEIGHBOURS = 24
"""Neighbours that give a density: 20 % noise, at the least distance."""
_STRETCH = 3.0
"""Axis ratio of the region, longer along Galactic longitude: densities of Galactic objects change
with latitude first."""
_FURTHEST = 20.0
"""Largest semi-major axis of the region in degrees: beyond it the sky differs."""


def local_density(places: np.ndarray, members: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Density of counterparts around each place, without those that may be the true one.

    The region is an elliptical ring, three times longer along Galactic longitude than along
    latitude, from the hole to the 24th neighbour.

    Parameters
    ----------
    places : ndarray, shape (n, 3)
        Galactic unit vectors.
    members : ndarray, shape (m, 3)
        Galactic unit vectors of the counterparts.
    hole : ndarray, shape (n,)
        Radius around each place in degrees in which counterparts do not count.

    Returns
    -------
    ndarray, shape (n,)
        In deg-2; never zero.
    """
    n = len(places)
    # An ellipse holds 1 / _STRETCH of the disc around it, and the hole takes some.
    asked = min(int(1.5 * _STRETCH * _NEIGHBOURS), len(members))
    distance, index = cKDTree(members).query(places, k=asked)
    distance, index = distance.reshape(n, asked), index.reshape(n, asked)
    reach = np.full(n, _FURTHEST)
    if asked < len(members):
        reach = np.minimum(reach, np.degrees(2 * np.arcsin(distance[:, -1] / 2)))
    bases = local_bases(places)
    offset = members[index]
    east, north = (np.degrees(np.einsum("nki,ni->nk", offset, bases[:, axis])) for axis in (0, 1))
    inner = np.minimum(_STRETCH * hole, reach / 2)
    axis = np.hypot(east, _STRETCH * north)
    ahead = np.einsum("nki,ni->nk", offset, bases[:, 2]) > 0
    axis = np.where(ahead & (axis > inner[:, None]), axis, np.inf)
    axis.sort(axis=1)
    within = np.sum(axis <= reach[:, None], axis=1)
    last = min(_NEIGHBOURS, asked) - 1
    full = within >= _NEIGHBOURS
    outer = np.where(full, np.minimum(axis[:, last], reach), reach)
    # The distance of the k-th of k neighbours holds k - 1 others; a fixed region may hold none.
    number = np.where(full, _NEIGHBOURS - 1.0, within + 0.5)
    return number / (np.pi * (outer**2 - inner**2) / _STRETCH)
