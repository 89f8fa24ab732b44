"""Pairs of detections and possible counterparts, with their likelihood ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from gammafind.catalogue.association.counterparts import CounterpartList
from gammafind.catalogue.association.density import local_density
from gammafind.catalogue.association.places import Places, largest_sigma
from gammafind.catalogue.pairs import pairs_within
from gammafind.sky.projection import local_bases, vectors_in

_FURTHEST = 5.0
"""Largest separation of a pair in sigma: one true pair of 270,000 is further."""
_HOLE = 3.5
"""Radius in sigma around a detection whose objects may be its counterpart: 99.8 %."""
_LARGE = 0.1
"""Sigma in degrees from which counterparts are searched apart, so that a few large ones do not
widen the search for all."""
CHANCE = float(np.sqrt(2 * np.log(20)))
"""Separation in sigma within which chance pairs are counted: the 95 % ellipse."""
_COMPACT = 0.5
"""Sigma in degrees up to which counterparts show how many pairs are by chance: the density near a
larger one is that of many places."""
_SAMPLE = 64
"""Counterparts whose errors stand for those of a group."""
_WEIGHT = 10.0
"""Chance pairs that must be there before they change a density by half of their excess."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of detections and counterparts.

    Attributes
    ----------
    row : ndarray of int, shape (k,)
        Index of the detection.
    catalogue, entry : ndarray of int, shape (k,)
        Index of the catalogue, and of the counterpart in it.
    group : ndarray of int, shape (k,)
        Index of the group among those of all catalogues.
    separation : ndarray, shape (k,)
        In degrees.
    sigmas : ndarray, shape (k,)
        Separation in sigma of detection and counterpart together.
    density : ndarray, shape (k,)
        Of the group around the detection, in deg-2.
    ratio : ndarray, shape (k,)
        Probability density of the separation for a true pair over that for a chance pair.
    """

    row: np.ndarray
    catalogue: np.ndarray
    entry: np.ndarray
    group: np.ndarray
    separation: np.ndarray
    sigmas: np.ndarray
    density: np.ndarray
    ratio: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    def select(self, chosen: np.ndarray) -> Pairs:
        """Some of the pairs."""
        return Pairs(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, eq=False)
class Groups:
    """All groups of all catalogues, in order.

    Attributes
    ----------
    catalogue : ndarray of int, shape (g,)
    name : tuple of str
    n_members : ndarray of int, shape (g,)
    prior : ndarray, shape (g,)
        Fixed priors, NaN where they are fitted.
    """

    catalogue: np.ndarray
    name: tuple[str, ...]
    n_members: np.ndarray
    prior: np.ndarray

    @classmethod
    def of(cls, lists: Sequence[CounterpartList]) -> Groups:
        """Groups of some catalogues; a fixed prior is shared by members."""
        counts = [np.bincount(one.group, minlength=len(one.groups)) for one in lists]
        fixed = [np.nan if one.prior is None else one.prior for one in lists]
        return cls(
            catalogue=np.repeat(np.arange(len(lists)), [len(one.groups) for one in lists]),
            name=tuple(name for one in lists for name in one.groups),
            n_members=np.concatenate(counts),
            prior=np.concatenate(
                [prior * n / n.sum() for prior, n in zip(fixed, counts, strict=True)]
            ),
        )

    def __len__(self) -> int:
        return len(self.name)


def densities(places: Places, lists: Sequence[CounterpartList]) -> np.ndarray:
    """Density of each group around each detection, shape (n, g), in deg-2."""
    here, hole = places.galactic, _HOLE * places.sigma
    columns = []
    for one in lists:
        vectors = vectors_in("galactic", one.positions)
        columns += [
            local_density(here, vectors[one.group == group], hole)
            for group in range(len(one.groups))
        ]
    return np.stack(columns, axis=1)


def find_pairs(places: Places, lists: Sequence[CounterpartList], density: np.ndarray) -> Pairs:
    """Pairs within five sigma, in the order of the detections.

    Parameters
    ----------
    places : Places
        n detections.
    lists : sequence of CounterpartList
    density : ndarray, shape (n, g)
        From `densities`.
    """
    parts, first = [], 0
    for number, one in enumerate(lists):
        row, entry, separation = _near(places, one)
        sigmas, area = _in_sigmas(places, one, row, entry, separation)
        group = first + one.group[entry]
        near = sigmas <= _FURTHEST
        chance = density[row, group]
        ratio = np.exp(-0.5 * np.minimum(sigmas, _FURTHEST) ** 2) / (2 * np.pi * area * chance)
        catalogue = np.full(len(row), number)
        columns = (row, catalogue, entry, group, separation, sigmas, chance, ratio)
        parts.append([values[near] for values in columns])
        first += len(one.groups)
    whole = Pairs(*(np.concatenate(values) for values in zip(*parts, strict=True)))
    return whole.select(np.lexsort((whole.entry, whole.catalogue, whole.row)))


def _near(places: Places, one: CounterpartList) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs that may be within five sigma."""
    sigma, own = places.sigma, largest_sigma(one.covariance)
    found = []
    for chosen in (own <= _LARGE, own > _LARGE):
        members, rows = np.flatnonzero(chosen), np.flatnonzero(places.known)
        if len(members) and len(rows):
            reach = _FURTHEST * np.hypot(sigma[rows], own[members].max())
            i, j, separation = pairs_within(places.positions[rows], one.positions[members], reach)
            found.append((rows[i], members[j], separation))
    if not found:
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    return tuple(np.concatenate(values) for values in zip(*found, strict=True))


def _in_sigmas(
    places: Places, one: CounterpartList, row: np.ndarray, entry: np.ndarray, separation: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Separations in sigma, and the square root of the determinant of each covariance."""
    covariance = places.covariance[row] + one.covariance[entry]
    here = vectors_in("icrs", places.positions)
    there = vectors_in("icrs", one.positions)
    bases = local_bases(here)[row]
    along = np.einsum("kai,ki->ka", bases[:, :2], there[entry])
    length = np.linalg.norm(along, axis=1)
    step = np.divide(separation, length, out=np.zeros_like(length), where=length > 0)
    offset = along * step[:, None]
    if len(row) == 0:
        return np.zeros(0), np.zeros(0)
    squared = np.einsum("ka,kab,kb->k", offset, np.linalg.inv(covariance), offset)
    return np.sqrt(squared), np.sqrt(np.linalg.det(covariance))


def chance_factors(
    shifted: Sequence[tuple[Places, Pairs]],
    lists: Sequence[CounterpartList],
    density: np.ndarray,
) -> np.ndarray:
    """Chance pairs at shifted places over those that the local densities predict, shape (g,).

    Parameters
    ----------
    shifted : sequence of (Places, Pairs)
        Places and their pairs.
    lists : sequence of CounterpartList
    density : ndarray, shape (n, g)
        Of each group around each detection.

    Returns
    -------
    ndarray, shape (g,)
        Towards 1 where there are few: counterparts cluster, and a density has a width.
    """
    n_groups = sum(len(one.groups) for one in lists)
    seen, expected = np.zeros(n_groups), np.zeros(n_groups)
    compact = [largest_sigma(one.covariance) <= _COMPACT for one in lists]
    for places, pairs in shifted:
        chosen = pairs.sigmas <= CHANCE
        for number, small in enumerate(compact):
            here = pairs.catalogue == number
            chosen[here] &= small[pairs.entry[here]]
        seen += np.bincount(pairs.group[chosen], minlength=n_groups)
        expected += (density * _areas(places, lists))[places.known].sum(axis=0)
    return (seen + _WEIGHT) / (expected + _WEIGHT)


def _areas(places: Places, lists: Sequence[CounterpartList]) -> np.ndarray:
    """Area of the 95 % ellipses of each detection with the compact members of a group, (n, g).

    It is the mean over all members, those that are not compact having none.
    """
    columns = []
    for one in lists:
        for group in range(len(one.groups)):
            members = one.covariance[one.group == group]
            own = members[largest_sigma(members) <= _COMPACT]
            if len(own) == 0:
                columns.append(np.zeros(len(places)))
                continue
            own = own[np.argsort(np.linalg.det(own))]
            some = own[np.linspace(0, len(own) - 1, min(_SAMPLE, len(own))).astype(int)]
            areas = [np.sqrt(np.linalg.det(places.covariance + each)) for each in some]
            columns.append(np.pi * CHANCE**2 * np.mean(areas, axis=0) * len(own) / len(members))
    return np.stack(columns, axis=1)
