"""Probabilities that a detection has its counterpart in a group, fitted to all detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.catalogue.association.candidates import Groups, Pairs

PLANE = 10.0
"""Galactic latitude in degrees that separates two sets of priors: pulsars and remnants are inside,
blazars outside."""
_WEAK = 0.5
"""Detections that stand for no knowledge of the prior of a group."""
_WHOLE_SKY = 10.0
"""Detections that the priors of the whole sky count as, inside the plane and outside."""
_ROUNDS = 500
_STEP = 1e-6
"""Change of all priors at which the fit ends."""


@dataclass(frozen=True, eq=False)
class Priors:
    """Priors of the groups.

    Attributes
    ----------
    outside, inside : ndarray, shape (g,)
        More and less than 10 deg from the Galactic plane.
    """

    outside: np.ndarray
    inside: np.ndarray

    def at(self, latitude: np.ndarray) -> np.ndarray:
        """Priors of detections at latitudes in degrees, shape (n, g)."""
        return np.where((np.abs(latitude) < PLANE)[:, None], self.inside, self.outside)


def fit_priors(pairs: Pairs, known: np.ndarray, latitude: np.ndarray, groups: Groups) -> Priors:
    """Fit the share of detections whose counterpart is in each group.

    The likelihood of what is around a detection is a mixture: no counterpart, or a counterpart in
    one of the groups. The shares have their most probable values: first those of the whole sky,
    then those near the plane and far from it, which begin at the former.

    Parameters
    ----------
    pairs : Pairs
    known : ndarray of bool, shape (n,)
        Detections that count.
    latitude : ndarray, shape (n,)
        Galactic, in degrees.
    groups : Groups
        Fixed priors stay as they are.

    Returns
    -------
    Priors
    """
    ratios = group_ratios(pairs, len(known), len(groups))
    fixed = groups.prior
    whole = _fitted(ratios[known], fixed, np.full(len(groups), _WEAK), _WEAK)
    counts, rest = _WHOLE_SKY * whole, _WHOLE_SKY * (1 - whole.sum())
    inside = np.abs(latitude) < PLANE
    return Priors(
        outside=_fitted(ratios[known & ~inside], fixed, counts, rest),
        inside=_fitted(ratios[known & inside], fixed, counts, rest),
    )


def group_ratios(pairs: Pairs, n: int, n_groups: int) -> np.ndarray:
    """Sum of the likelihood ratios of each detection in each group, shape (n, g)."""
    cell = pairs.row * n_groups + pairs.group
    return np.bincount(cell, pairs.ratio, n * n_groups).reshape(n, n_groups)


def evidence(pairs: Pairs, priors: np.ndarray) -> np.ndarray:
    """Likelihood of what is around each detection, over that of chance, shape (n,)."""
    ratios = group_ratios(pairs, *priors.shape)
    return 1 - priors.sum(axis=1) + (priors * ratios).sum(axis=1)


def _fitted(ratios: np.ndarray, fixed: np.ndarray, counts: np.ndarray, rest: float) -> np.ndarray:
    """Most probable shares by expectation and maximisation; ``counts`` and ``rest`` are added."""
    free = np.isnan(fixed)
    held = np.where(free, 0.0, fixed)
    room = max(1 - held.sum(), 0.0)
    start = counts[free].sum() + rest
    shares = np.where(free, room * counts / max(start, np.finfo(float).tiny), held)
    for _ in range(_ROUNDS):
        none = 1 - shares.sum()
        total = none + ratios @ shares
        parts = shares * (ratios / total[:, None]).sum(axis=0) + counts
        nothing = none * np.sum(1 / total) + rest
        whole = parts[free].sum() + nothing
        fresh = np.where(free, room * parts / whole, held)
        moved = np.max(np.abs(fresh - shares), initial=0)
        shares = fresh
        if moved < _STEP:
            break
    return shares
