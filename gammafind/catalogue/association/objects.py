"""Entries of several catalogues that are one object, and objects that lie on each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gammafind.catalogue.association.candidates import Pairs
from gammafind.catalogue.association.counterparts import CounterpartList
from gammafind.catalogue.association.places import largest_sigma
from gammafind.catalogue.pairs import pairs_within

_LEAST = 5 / 3600
"""Separation in degrees within which entries are one object: positions are rounded."""
_SIGMAS = 3.0
"""The same in sigma of both positions."""


def object_ids(pairs: Pairs, lists: Sequence[CounterpartList]) -> np.ndarray:
    """Number of the object of each pair, shape (k,).

    Point sources of different catalogues at one place are one object. An extended source is an
    object of its own.
    """
    first = np.cumsum([0, *map(len, lists)])
    total = int(first[-1])
    links: list[tuple[np.ndarray, np.ndarray]] = []
    used = [np.unique(pairs.entry[pairs.catalogue == c]) for c in range(len(lists))]
    points = [rows[lists[c].radius[rows] == 0] for c, rows in enumerate(used)]
    sigma = [largest_sigma(one.covariance) for one in lists]
    for a in range(len(lists)):
        for b in range(a + 1, len(lists)):
            i, j = points[a], points[b]
            if len(i) == 0 or len(j) == 0:
                continue
            reach = np.maximum(_LEAST, _SIGMAS * np.hypot(sigma[a][i], sigma[b][j].max()))
            k, m, separation = pairs_within(lists[a].positions[i], lists[b].positions[j], reach)
            both = np.hypot(sigma[a][i[k]], sigma[b][j[m]])
            same = separation <= np.maximum(_LEAST, _SIGMAS * both)
            links.append((first[a] + i[k[same]], first[b] + j[m[same]]))
    ends = np.concatenate([np.zeros((2, 0), int), *map(np.asarray, links)], axis=1).astype(int)
    graph = csr_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(total, total))
    _, number = connected_components(graph, directed=False)
    return number[first[pairs.catalogue] + pairs.entry]


def lies_on(pairs: Pairs, lead: np.ndarray, lists: Sequence[CounterpartList]) -> np.ndarray:
    """Which pairs have a counterpart that lies on that of another pair, shape (k,).

    Parameters
    ----------
    pairs : Pairs
    lead : ndarray of int, shape (k,)
        For each pair the index of the pair that it is compared with.
    lists : sequence of CounterpartList

    Returns
    -------
    ndarray of bool, shape (k,)
        True where one is extended, the other is within it, and they are of different catalogues: a
        pulsar, its nebula and its remnant.
    """
    radius = np.zeros(len(pairs))
    lon, lat = np.zeros(len(pairs)), np.zeros(len(pairs))
    for number, one in enumerate(lists):
        here = pairs.catalogue == number
        rows = pairs.entry[here]
        radius[here] = one.radius[rows]
        lon[here], lat[here] = one.positions.ra.rad[rows], one.positions.dec.rad[rows]
    cosine = np.sin(lat) * np.sin(lat[lead])
    cosine += np.cos(lat) * np.cos(lat[lead]) * np.cos(lon - lon[lead])
    apart = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    reach = np.maximum(radius, radius[lead])
    return (pairs.catalogue != pairs.catalogue[lead]) & (reach > 0) & (apart <= reach)
