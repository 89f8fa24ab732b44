"""Rates in bins, and the TS at which half of the sources are found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_DECADES = 0.1
"""Width in decades of the bins of `half_found`: balances noise and resolution."""


@dataclass(frozen=True, eq=False)
class Bins:
    """Values sorted into bins.

    Parameters
    ----------
    edges : ndarray, shape (k + 1,)
        Increasing; empty if there is no bin.
    index : ndarray of int, shape (n,)
        Bin of each value; -1 for none.
    middle : ndarray, shape (k,)
        A representative value of each bin.
    """

    edges: np.ndarray
    index: np.ndarray
    middle: np.ndarray

    def __len__(self) -> int:
        return max(len(self.edges) - 1, 0)

    def count(self, weights: np.ndarray) -> np.ndarray:
        """Sum of the weights, shape (n,), in each bin, shape (k,)."""
        inside = self.index >= 0
        return np.bincount(self.index[inside], weights[inside], len(self))

    def fraction(self, hits: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Share of ``hits`` in each bin, shape (k,), each value counted ``times``; NaN if empty."""
        total = self.count(times)
        share = np.full(len(self), np.nan)
        return np.divide(self.count(times * hits), total, out=share, where=total > 0)


def log_bins(values: np.ndarray, step: float) -> Bins:
    """Bins of equal width ``step`` in decades; values of 0 or less are in no bin.

    The middle is the centre in the logarithm.
    """
    good = np.isfinite(values) & (values > 0)
    if not good.any():
        return Bins(np.zeros(0), np.full(len(values), -1), np.zeros(0))
    place = np.floor(np.log10(np.where(good, values, 1)) / step).astype(int)
    low, high = place[good].min(), place[good].max()
    numbers = np.arange(low, high + 2)
    index = np.where(good, place - low, -1)
    return Bins(10 ** (step * numbers), index, 10 ** (step * (numbers[:-1] + 0.5)))


def quantile_bins(values: np.ndarray, n: int) -> Bins:
    """Up to ``n`` bins with equal numbers of values; the last one includes its upper edge.

    The middle is the median of the values.
    """
    if len(values) == 0:
        return Bins(np.zeros(0), np.zeros(0, dtype=int), np.zeros(0))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n + 1)))
    if len(edges) == 1:
        edges = np.repeat(edges, 2)
    index = np.minimum(np.searchsorted(edges, values, side="right") - 1, len(edges) - 2)
    # With few values, edges are between them, and a bin may be empty.
    inside = [values[index == i] for i in range(len(edges) - 1)]
    middle = [np.median(v) if len(v) else edges[i] for i, v in enumerate(inside)]
    return Bins(edges, index, np.array(middle))


def half_found(ts: np.ndarray, found: np.ndarray, times: np.ndarray | None = None) -> float:
    """TS at which half of the sources are found (TS50).

    The share of found sources, in bins of 0.1 dex, is fitted by a monotone curve in TS with least
    squares, each bin weighted by its number of sources. The curve is linear in log TS between the
    mean log TS of the bins. TS50 is the TS where it first reaches one half. Since no shape of the
    curve is assumed, chance matches of faint sources and bright sources lost in the Galactic plane
    do not bias it.

    Parameters
    ----------
    ts : ndarray, shape (n,)
        Expected TS; sources with a value of 0 or less are ignored.
    found : ndarray of bool, shape (n,)
    times : ndarray of int, shape (n,), optional
        Number of times that each source counts.

    Returns
    -------
    float
        NaN if the curve does not cross one half.

    References
    ----------
    Barlow et al. 1972, Statistical Inference under Order Restrictions (isotonic regression).
    """
    from scipy.optimize import isotonic_regression

    times = np.ones(len(ts)) if times is None else times
    bins = log_bins(ts, _DECADES)
    total = bins.count(times)
    filled = total > 0
    if not filled.any():
        return np.nan
    total = total[filled]
    logarithm = np.log10(np.where(bins.index >= 0, ts, 1))
    middle = bins.count(times * logarithm)[filled] / total
    rise = isotonic_regression(bins.count(times * found)[filled] / total, weights=total).x
    reached = np.flatnonzero(rise >= 0.5)
    if len(reached) == 0 or reached[0] == 0:
        return np.nan
    two = slice(reached[0] - 1, reached[0] + 1)
    return float(10 ** np.interp(0.5, rise[two], middle[two]))
