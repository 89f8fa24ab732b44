"""The whole association: densities, chance rates, priors, posterior probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gammafind.catalogue.association.candidates import (
    Groups,
    Pairs,
    chance_factors,
    densities,
    find_pairs,
)
from gammafind.catalogue.association.counterparts import CounterpartList
from gammafind.catalogue.association.decide import Decision, decide
from gammafind.catalogue.association.places import SHIFTS, Places, largest_sigma
from gammafind.catalogue.association.priors import Priors, fit_priors

_ROUNDS = 3
"""Rounds in which densities are corrected by associations at shifted places."""
_WEIGHT = 5.0
"""Associations by chance that must be there before they change a density by half of the excess."""


@dataclass(frozen=True, eq=False)
class Solution:
    """An association.

    Attributes
    ----------
    pairs : Pairs
    decision : Decision
    groups : Groups
    priors : Priors
    factors : ndarray, shape (g,)
        Chance pairs at shifted places over those that the local density predicts; the densities of
        ``pairs`` have them.
    chance_by_shift : ndarray, shape (s, c)
        Associations by chance with each catalogue, measured at each of the shifts.
    """

    pairs: Pairs
    decision: Decision
    groups: Groups
    priors: Priors
    factors: np.ndarray
    chance_by_shift: np.ndarray


def solve(
    places: Places,
    lists: Sequence[CounterpartList],
    *,
    threshold: float,
    one_to_one: bool = False,
) -> Solution:
    """Associate detections with the entries of catalogues.

    Parameters
    ----------
    places : Places
        n detections.
    lists : sequence of CounterpartList
        c catalogues of g groups together.
    threshold : float
        Lowest probability of an association.
    one_to_one : bool
        Each object is the counterpart of one detection at most.
    """
    groups = Groups.of(lists)
    sizes = np.concatenate([largest_sigma(one.covariance) for one in lists])
    longest = places.longest_shift(sizes)
    # The region of a density is wider than the shifts along longitude: it holds for all of them.
    density = densities(places, lists)
    moved = [places.shifted(share * longest) for share in SHIFTS if longest > 0]
    shifted = [(one, find_pairs(one, lists, density)) for one in moved]
    found = find_pairs(places, lists, density)
    latitude = places.latitude
    factors = chance_factors(shifted, lists, density)
    for number in range(_ROUNDS + 1):
        pairs = _denser(found, factors)
        priors = fit_priors(pairs, places.known, latitude, groups)
        at = priors.at(latitude)
        decision = decide(pairs, at, lists, threshold=threshold)
        alone = np.where(places.known, 1 - decision.any, 0)
        counts = np.reshape(
            [
                _by_chance(one, _denser(near, factors), at, lists, threshold, alone)
                for one, near in shifted
            ],
            (len(shifted), len(lists)),
        )
        if number == _ROUNDS or not len(shifted):
            break
        stated = _chance_stated(pairs, decision, threshold, len(lists))
        correction = (counts.mean(axis=0) + _WEIGHT) / (stated + _WEIGHT)
        factors = factors * correction[groups.catalogue]
    if one_to_one:
        decision = decide(pairs, at, lists, threshold=threshold, one_to_one=True)
    return Solution(pairs, decision, groups, priors, factors, counts)


def _chance_stated(pairs: Pairs, decision: Decision, threshold: float, n_lists: int) -> np.ndarray:
    """Expected associations of sources that have no counterpart, by catalogue.

    Those of sources whose true counterpart is another candidate are not among them: there are none
    at shifted places.
    """
    given = np.flatnonzero(decision.total >= threshold)
    catalogue = pairs.catalogue[decision.best[given]]
    return np.bincount(catalogue, 1 - decision.any[given], n_lists)


def _denser(pairs: Pairs, factors: np.ndarray) -> Pairs:
    """Pairs with other densities of the groups."""
    factor = factors[pairs.group]
    return replace(pairs, density=pairs.density * factor, ratio=pairs.ratio / factor)


def _by_chance(
    moved: Places,
    pairs: Pairs,
    priors: np.ndarray,
    lists: Sequence[CounterpartList],
    threshold: float,
    alone: np.ndarray,
) -> np.ndarray:
    """Associations at shifted places, by catalogue, each with the probability that it counts.

    Only a detection without a true counterpart can have one by chance alone; ``alone`` is the
    probability of that.
    """
    decision = decide(pairs, priors, lists, threshold=threshold)
    given = np.flatnonzero(decision.total >= threshold)
    catalogue = pairs.catalogue[decision.best[given]]
    # Detections that are not clear of their own counterparts count as the mean of the others.
    share = alone[moved.known].sum() / alone.sum() if alone.sum() > 0 else 1.0
    return np.bincount(catalogue, alone[given], len(lists)) / max(share, np.finfo(float).tiny)
