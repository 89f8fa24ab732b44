"""Energy-flux distribution of each class: the catalogue histogram, constant below its peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEP = 0.1
"""Width of a bin in log10 of the energy flux: balances noise and resolution."""
_PEAK_BINS = 3
"""Bins above the peak that set the class mix below it: balances noise and extrapolation."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FluxDistribution:
    """Expected number of sources of each class by log10 of the energy flux, 1-100 GeV.

    Parameters
    ----------
    edges : ndarray, shape (m + 1,)
        Edges of bins of 0.1 dex, starting at the peak of the catalogue histogram.
    counts : ndarray, shape (4, m)
        Sources of each class in each bin.
    level : ndarray, shape (4,)
        Sources of each class per 0.1 dex below the peak.
    """

    edges: np.ndarray
    counts: np.ndarray
    level: np.ndarray

    @property
    def peak(self) -> float:
        """Log10 of the energy flux below which numbers are constant."""
        return float(self.edges[0])

    def above(self, log_min: float) -> tuple[np.ndarray, np.ndarray]:
        """Edges above ``log_min``, and expected numbers of each class between them."""
        edges, counts = self.edges, self.counts
        if log_min < self.peak:
            below = self.level * (self.peak - log_min) / STEP
            return np.append(log_min, edges), np.column_stack([below, counts])
        first = min(int(np.searchsorted(edges, log_min, side="right")), len(edges) - 1) - 1
        part = np.ones(counts.shape[1] - first)
        part[0] = np.clip((edges[first + 1] - log_min) / STEP, 0, 1)
        return np.append(log_min, edges[first + 1 :]), counts[:, first:] * part


def histogram_peak(log_flux: np.ndarray) -> float:
    """Lower edge of the bin of 0.1 dex with most sources; edges are multiples of 0.1."""
    bins, n_sources = np.unique(_bins(log_flux), return_counts=True)
    return float(bins[n_sources.argmax()] * STEP)


def fit_fluxes(log_flux: np.ndarray, shares: np.ndarray) -> FluxDistribution:
    """Fit the flux distribution.

    Parameters
    ----------
    log_flux : ndarray, shape (n,)
        Log10 of the energy flux of the sources above the peak.
    shares : ndarray, shape (n, 4)
        Shares of each source in the classes.
    """
    index = _bins(log_flux)
    first = index.min()
    index = index - first
    counts = np.stack([np.bincount(index, weights=share) for share in shares.T])
    near = counts[:, :_PEAK_BINS].sum(axis=1)
    return FluxDistribution(
        edges=(first + np.arange(counts.shape[1] + 1)) * STEP,
        counts=counts,
        level=counts[:, 0].sum() * near / near.sum(),
    )


def draw_from_histogram(
    edges: np.ndarray, weights: np.ndarray, n: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Draw ``n`` values, uniform within each bin."""
    cumulative = np.concatenate([[0.0], np.cumsum(weights)])
    return np.interp(rng.random(n) * cumulative[-1], cumulative, edges)


def _bins(log_flux: np.ndarray) -> np.ndarray:
    return np.floor(np.asarray(log_flux) / STEP).astype(int)
