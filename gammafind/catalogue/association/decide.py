"""Posterior probabilities of pairs, and what each detection is associated with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from gammafind.catalogue.association.candidates import Pairs
from gammafind.catalogue.association.counterparts import CounterpartList
from gammafind.catalogue.association.objects import lies_on, object_ids
from gammafind.catalogue.association.priors import evidence

SECOND = 0.1
"""Least probability of a second name."""


@dataclass(frozen=True, eq=False)
class Decision:
    """What detections are associated with.

    Attributes
    ----------
    probability : ndarray, shape (k,)
        Of each pair.
    object_probability : ndarray, shape (k,)
        Of the object of each pair, over all catalogues that list it.
    object : ndarray of int, shape (k,)
    best : ndarray of int, shape (n,)
        Pair that names the most probable object; -1 for none.
    second : ndarray of int, shape (n,)
        Pair that names the next object; -1 for none of at least 0.1.
    total : ndarray, shape (n,)
        Probability of the best object and of what lies on it.
    any : ndarray, shape (n,)
        Probability that one of the counterparts is the true one.
    """

    probability: np.ndarray
    object_probability: np.ndarray
    object: np.ndarray
    best: np.ndarray
    second: np.ndarray
    total: np.ndarray
    any: np.ndarray


def decide(
    pairs: Pairs,
    priors: np.ndarray,
    lists: Sequence[CounterpartList],
    *,
    threshold: float,
    one_to_one: bool = False,
) -> Decision:
    """Compute posterior probabilities, and choose the most probable object of each detection.

    Parameters
    ----------
    pairs : Pairs
        k pairs, in the order of the detections.
    priors : ndarray, shape (n, g)
        Of each detection and group.
    lists : sequence of CounterpartList
        The first that lists an object names it.
    threshold : float
        Lowest probability of an association.
    one_to_one : bool
        Each object is the counterpart of one detection at most.
    """
    objects = object_ids(pairs, lists)
    if one_to_one:
        free = _assigned(pairs, priors, objects, threshold)
        kept = pairs.select(free)
        decision = _decided(kept, priors, objects[free], lists)
        return _with_all(decision, free, objects)
    return _decided(pairs, priors, objects, lists)


def _decided(
    pairs: Pairs, priors: np.ndarray, objects: np.ndarray, lists: Sequence[CounterpartList]
) -> Decision:
    n, k = len(priors), len(pairs)
    whole = evidence(pairs, priors)
    probability = priors[pairs.row, pairs.group] * pairs.ratio / whole[pairs.row]
    any_of = np.bincount(pairs.row, probability, n)
    _, member = np.unique(np.stack([pairs.row, objects]), axis=1, return_inverse=True)
    member = member.ravel()
    of_object = np.bincount(member, probability, k)[member]
    best = _leads(pairs, of_object, np.ones(k, dtype=bool), n)
    lead = best[pairs.row]
    same = member == member[lead] if k else np.zeros(0, dtype=bool)
    counted = same | (lies_on(pairs, lead, lists) if k else same)
    total = np.bincount(pairs.row[counted], probability[counted], n)
    second = _leads(pairs, of_object, ~same & (of_object >= SECOND), n)
    return Decision(probability, of_object, objects, best, second, np.minimum(total, 1), any_of)


def _leads(pairs: Pairs, of_object: np.ndarray, allowed: np.ndarray, n: int) -> np.ndarray:
    """First pair, in the order of the catalogues, of the most probable object of each row."""
    lead = np.full(n, -1)
    index = np.flatnonzero(allowed)
    # Sums of one object differ by rounding; the catalogue given first names it.
    rounded = np.round(of_object[index], 9)
    order = np.lexsort((pairs.entry[index], pairs.catalogue[index], -rounded, pairs.row[index]))
    rows, first = np.unique(pairs.row[index][order], return_index=True)
    lead[rows] = index[order][first]
    return lead


def _assigned(
    pairs: Pairs, priors: np.ndarray, objects: np.ndarray, threshold: float
) -> np.ndarray:
    """Pairs whose object is not the counterpart of another detection.

    The sum of the probabilities of the assigned objects is the largest possible.
    """
    k = len(pairs)
    if k == 0:
        return np.zeros(0, dtype=bool)
    whole = evidence(pairs, priors)
    probability = priors[pairs.row, pairs.group] * pairs.ratio / whole[pairs.row]
    cells, member = np.unique(np.stack([pairs.row, objects]), axis=1, return_inverse=True)
    of_object = np.bincount(member.ravel(), probability)
    good = of_object >= threshold
    rows, row = np.unique(cells[0][good], return_inverse=True)
    names, column = np.unique(cells[1][good], return_inverse=True)
    if len(rows) == 0:
        return np.ones(k, dtype=bool)
    spare = np.arange(len(rows))
    # Every row has a dummy partner that gains nothing.
    cost = np.concatenate([2 - np.minimum(of_object[good], 1), np.full(len(rows), 2.0)])
    ends = [np.concatenate([row, spare]), np.concatenate([column, len(names) + spare])]
    shape = (len(rows), len(names) + len(rows))
    graph = csr_array((cost, np.asarray(ends, dtype=np.int32)), shape=shape)
    chosen_row, chosen = min_weight_full_bipartite_matching(graph)
    real = chosen < len(names)
    owner = np.full(int(objects.max()) + 1, -1)
    owner[names[chosen[real]]] = rows[chosen_row[real]]
    return (owner[objects] == -1) | (owner[objects] == pairs.row)


def _with_all(decision: Decision, free: np.ndarray, objects: np.ndarray) -> Decision:
    """The same with all pairs; those that were given to another detection have no probability."""
    index = np.append(np.flatnonzero(free), -1)
    probability, of_object = np.zeros(len(free)), np.zeros(len(free))
    probability[free], of_object[free] = decision.probability, decision.object_probability
    return Decision(
        probability=probability,
        object_probability=of_object,
        object=objects,
        best=index[decision.best],
        second=index[decision.second],
        total=decision.total,
        any=decision.any,
    )
