"""One-to-one matching of two sets of sky positions."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from gammafind.catalogue.pairs import pairs_within, radii_of


@dataclass(frozen=True, eq=False)
class Matches:
    """Pairs of a one-to-one matching, in the order of ``a``.

    Parameters
    ----------
    a, b : ndarray of int, shape (k,)
        Indices into the first and the second set.
    separation : Quantity, shape (k,)
        Angular separation of each pair.
    """

    a: np.ndarray
    b: np.ndarray
    separation: Quantity

    def __len__(self) -> int:
        return len(self.a)


def match_one_to_one(a: SkyCoord, b: SkyCoord, radius: Quantity) -> Matches:
    """Match two sets of positions; each position is used at most once.

    The number of pairs is the largest possible; among such matchings, this is the one with the
    smallest total separation.

    Parameters
    ----------
    a, b : SkyCoord, shapes (n,) and (m,)
        In any celestial frame.
    radius : Quantity, scalar or shape (n,)
        Largest separation of a pair; one value for all, or one for each of ``a``.

    Returns
    -------
    Matches

    Raises
    ------
    OptionError
        If ``radius`` is not accepted.
    """
    i, j, separation = pairs_within(a, b, radii_of(radius, len(a)))
    kept = _optimal(i, j, separation)
    return Matches(i[kept], j[kept], separation[kept] * u.deg)


def _optimal(i: np.ndarray, j: np.ndarray, separation: np.ndarray) -> np.ndarray:
    """Indices of the pairs that are kept: as many as possible, then with the smallest separation.

    Each object of the first set has a dummy partner, which costs more than all separations
    together. Every object then has a partner, and the cheapest complete matching uses as few
    dummies as possible.
    """
    if len(i) == 0:
        return np.zeros(0, dtype=int)
    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    n, m = len(rows), len(columns)
    spare = np.arange(n)
    relative = separation / max(separation.max(), np.finfo(float).tiny)
    # The offset of 1 keeps pairs with zero separation, which a sparse matrix would drop.
    cost = 1 + np.concatenate([relative, np.full(n, n + 1.0)])
    ends = np.concatenate([[row, column], [spare, m + spare]], axis=1).astype(np.int32)
    graph = csr_array((cost, (ends[0], ends[1])), shape=(n, m + n))
    matched_row, matched_column = min_weight_full_bipartite_matching(graph)
    partner = np.full(n, -1)
    partner[matched_row] = matched_column
    return np.flatnonzero(partner[row] == column)
