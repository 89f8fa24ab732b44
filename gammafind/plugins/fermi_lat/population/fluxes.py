"""Distribution of energy flux of each class: the catalogue's histogram, level below its peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["STEP", "FluxDistribution", "draw_from_histogram", "fit_fluxes", "histogram_peak"]

STEP = 0.1
"""Width of a bin in log10 of the energy flux."""
_PEAK_BINS = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class FluxDistribution:
    """Expected number of sources of each class by log10 of the energy flux 1-100 GeV.

    Parameters
    ----------
    edges : ndarray, shape (m + 1,)
        Of bins of 0.1 dex, from the peak of the catalogue's histogram up.
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
        """The log10 energy flux below which numbers stay level."""
        return float(self.edges[0])

    def above(self, log_min: float) -> tuple[np.ndarray, np.ndarray]:
        """Edges, and expected numbers of each class between them, from ``log_min`` up."""
        edges, counts = self.edges, self.counts
        if log_min < self.peak:
            below = self.level * (self.peak - log_min) / STEP
            return np.append(log_min, edges), np.column_stack([below, counts])
        first = min(int(np.searchsorted(edges, log_min, side="right")), len(edges) - 1) - 1
        part = np.ones(counts.shape[1] - first)
        part[0] = np.clip((edges[first + 1] - log_min) / STEP, 0, 1)
        return np.append(log_min, edges[first + 1 :]), counts[:, first:] * part


def histogram_peak(log_flux: np.ndarray) -> float:
    """Lower edge of the fullest bin of 0.1 dex; edges are multiples of 0.1."""
    bins, n_sources = np.unique(_bins(log_flux), return_counts=True)
    return float(bins[n_sources.argmax()] * STEP)


def fit_fluxes(log_flux: np.ndarray, shares: np.ndarray) -> FluxDistribution:
    """Fit the flux distribution.

    Parameters
    ----------
    log_flux : ndarray, shape (n,)
        Of the sources above the peak.
    shares : ndarray, shape (n, 4)
        Of each in the classes.
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
