"""Spectra tabulated at energy nodes, with power laws between them."""

from __future__ import annotations

import numpy as np
from scipy.special import exprel


def interpolate(energy: np.ndarray, nodes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate a positive table linearly in log energy and log value.

    Parameters
    ----------
    energy : array_like
        Energies within the nodes.
    nodes, values : ndarray, shape (n,)
        Increasing energies, and positive values.

    Returns
    -------
    ndarray, shape of ``energy``
    """
    return np.exp(np.interp(np.log(energy), np.log(nodes), np.log(values)))


def segment_integral(
    nodes: tuple[float, float],
    values: tuple[np.ndarray, np.ndarray],
    low: float,
    high: float,
) -> np.ndarray:
    """Integral from ``low`` to ``high`` of the power law through two nodes.

    Parameters
    ----------
    nodes : pair of float
        Energies of the two nodes; ``low`` and ``high`` are between them.
    values : pair of ndarray
        Values at the nodes, of any shape; if one is not positive, the table is linear in energy
        instead.
    low, high : float

    Returns
    -------
    ndarray
    """
    first, second = (np.asarray(value, dtype=float) for value in values)
    span = np.log(nodes[1] / nodes[0])
    positive = (first > 0) & (second > 0)
    ratio = np.divide(second, first, out=np.ones_like(first), where=positive)
    slope = np.log(ratio) / span
    growth = (slope + 1) * np.log(high / low)
    power = first * (low / nodes[0]) ** slope * low * np.log(high / low) * exprel(growth)
    middle = ((low + high) / 2 - nodes[0]) / (nodes[1] - nodes[0])
    linear = (first + (second - first) * middle) * (high - low)
    return np.where(positive, power, linear)


def table_integral(low: float, high: float, nodes: np.ndarray, values: np.ndarray) -> float:
    """Integral of a table from ``low`` to ``high``, both within its nodes.

    Parameters
    ----------
    low, high : float
    nodes, values : ndarray, shape (n,)

    Returns
    -------
    float
    """
    return float(
        sum(
            segment_integral(
                (nodes[i], nodes[i + 1]),
                (values[i], values[i + 1]),
                max(low, nodes[i]),
                min(high, nodes[i + 1]),
            )
            for i in segments(low, high, nodes)
        )
    )


def segments(low: float, high: float, nodes: np.ndarray) -> range:
    """Indices i of the segments from node i to node i + 1 in [low, high]."""
    first = int(np.searchsorted(nodes, low, side="right")) - 1
    last = int(np.searchsorted(nodes, high, side="left"))
    return range(max(first, 0), min(last, len(nodes) - 1))
