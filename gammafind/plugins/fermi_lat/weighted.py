"""Integrals over energy of tabulated maps, with any weight over true energy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gammafind.plugins.fermi_lat.tabulated import segment_integral, segments

Weight = tuple[np.ndarray, np.ndarray]
"""Increasing energies in MeV, and a weight at each; linear in log energy between, 0 outside."""

_SLOPES = np.arange(-12, 8.01, 0.1)
"""Slopes in log energy at which a weighted power law is integrated; linear between in logarithm."""
_POINTS, _SHARES = np.polynomial.legendre.leggauss(6)
"""Gauss-Legendre nodes between two energies of the weight."""


def plane_integral(
    nodes: np.ndarray, plane: Callable[[int], np.ndarray], low: float, high: float
) -> np.ndarray:
    """Integral from ``low`` to ``high`` of a table of maps.

    Parameters
    ----------
    nodes : ndarray, shape (n,)
        Energies of the planes, increasing; ``low`` is not below the first.
    plane : callable
        Returns a plane by its index; each is read once, in order.
    low, high : float
        Above the last node the power law between the last two continues.

    Returns
    -------
    ndarray, shape of a plane
    """
    return _sum(nodes, plane, low, high, segment_integral)


def weighted_integral(
    nodes: np.ndarray, plane: Callable[[int], np.ndarray], weight: Weight
) -> np.ndarray:
    """Integral of a table of maps times a weight over energy.

    Parameters
    ----------
    nodes : ndarray, shape (n,)
        Energies of the planes, increasing.
    plane : callable
        As for `plane_integral`.
    weight : pair of ndarray, shape (m,)
        As in `Weight`. Below the first and above the last node of the table the power law of the
        outermost pair continues.

    Returns
    -------
    ndarray, shape of a plane
    """
    energy, value = (np.asarray(array, dtype=float) for array in weight)

    def one(
        pair: tuple[float, float], values: tuple[np.ndarray, np.ndarray], start: float, end: float
    ) -> np.ndarray:
        at, share = _quadrature(energy, value, start, end)
        return _weighted_segment(pair, values, at, share)

    return _sum(nodes, plane, energy[0], energy[-1], one)


def _sum(
    nodes: np.ndarray,
    plane: Callable[[int], np.ndarray],
    low: float,
    high: float,
    one: Callable[..., np.ndarray],
) -> np.ndarray:
    """Sum ``one`` over the segments between ``low`` and ``high``; the outermost reach beyond."""
    chosen: Sequence[int] = segments(
        min(max(low, nodes[0]), nodes[-2]), max(min(high, nodes[-1]), nodes[1]), nodes
    )
    total: np.ndarray | float = 0.0
    upper = plane(chosen[0])
    for i in chosen:
        lower, upper = upper, plane(i + 1)
        start = low if i == 0 else max(low, nodes[i])
        end = high if i == len(nodes) - 2 else min(high, nodes[i + 1])
        if end > start:
            total = total + one((nodes[i], nodes[i + 1]), (lower, upper), start, end)
    return np.asarray(total)


def _quadrature(
    energy: np.ndarray, value: np.ndarray, low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Energies between two, and the weight of each, with the step in energy, in a sum."""
    inside = energy[(energy > low) & (energy < high)]
    edges = np.log(np.concatenate([[low], inside, [high]]))
    half = np.diff(edges)[:, None] / 2
    log = (edges[:-1, None] + half * (1 + _POINTS)).ravel()
    at = np.exp(log)
    return at, np.interp(log, np.log(energy), value) * at * (half * _SHARES).ravel()


def _weighted_segment(
    pair: tuple[float, float],
    values: tuple[np.ndarray, np.ndarray],
    at: np.ndarray,
    share: np.ndarray,
) -> np.ndarray:
    """Sum of ``share`` times the power law through two nodes; linear where one is not positive."""
    first, second = (np.asarray(value, dtype=float) for value in values)
    if not share.any():
        return np.zeros_like(first)
    positive = (first > 0) & (second > 0)
    ratio = np.divide(second, first, out=np.ones_like(first), where=positive)
    slope = np.log(ratio) / np.log(pair[1] / pair[0])
    sums = np.log(np.exp(_SLOPES[:, None] * np.log(at / pair[0])) @ share)
    power = first * np.exp(np.interp(slope, _SLOPES, sums))
    upper = share @ (at - pair[0]) / (pair[1] - pair[0])
    return np.where(positive, power, first * (share.sum() - upper) + second * upper)
