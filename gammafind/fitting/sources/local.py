"""The Poisson likelihood of one source, with its neighbours and the background free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_ITERATIONS = 40
"""Most steps: far more than a fit needs."""
_ENOUGH = 1e-5
"""Expected gain of a step in the log-likelihood at which a fit ends: no matter for an error."""
_SHORTEST = 1e-3
"""Shortest share of a step that is tried."""
_RIDGE = 1e-9
"""Relative addition to the diagonal: keeps equal or empty templates solvable."""
_LEAST_LEVEL = 0.05
"""Least level of the background, relative to the model: keeps expected counts positive."""


@dataclass(frozen=True, eq=False)
class Local:
    """Counts around one source, all bands in a row.

    Attributes
    ----------
    counts, fixed : ndarray, shape (k,)
        Observed counts, and expected counts that are not fitted.
    band : ndarray of int, shape (k,)
        Band of each pixel.
    share : ndarray, shape (k,)
        Share of the counts of the source in its band that falls in the pixel.
    others : ndarray, shape (q, k)
        Expected counts of each neighbour and of the background of each band, as in the model of
        the sky; their factors are free.
    least : ndarray, shape (q,)
        Least factors.
    n_bands : int
    """

    counts: np.ndarray
    fixed: np.ndarray
    band: np.ndarray
    share: np.ndarray
    others: np.ndarray
    least: np.ndarray
    n_bands: int

    @property
    def by_band(self) -> np.ndarray:
        """Share of the counts of the source, one row a band, shape (n_bands, k)."""
        return self.share * (self.band == np.arange(self.n_bands)[:, None])

    def log_likelihood(self, model: np.ndarray) -> float:
        """Up to a constant."""
        return float(np.einsum("k,k->", self.counts, np.log(model)) - model.sum())


@dataclass(frozen=True, eq=False)
class Fitted:
    """Maximum of a likelihood.

    Attributes
    ----------
    values : ndarray, shape (p,)
        Parameters of the source.
    factors : ndarray, shape (q,)
        Of the neighbours and of the background.
    model : ndarray, shape (k,)
    log_likelihood : float
    information : ndarray, shape (p + q, p + q)
        Fisher information.
    good : bool
        Whether the fit converged.
    """

    values: np.ndarray
    factors: np.ndarray
    model: np.ndarray
    log_likelihood: float
    information: np.ndarray
    good: bool

    def covariance(self, free: np.ndarray | None = None) -> np.ndarray:
        """Covariance of the parameters of the source, shape (p, p).

        Infinite variances where nothing is known.
        """
        p = len(self.values)
        scale = np.sqrt(np.maximum(np.diag(self.information), 1e-300))
        scaled = self.information / np.outer(scale, scale)
        scaled[np.diag_indices(len(scaled))] += _RIDGE
        if free is not None:
            kept = np.flatnonzero(free)
            scaled, scale = scaled[np.ix_(kept, kept)], scale[kept]
            p = np.count_nonzero(free[:p])
        return np.linalg.inv(scaled)[:p, :p] / np.outer(scale[:p], scale[:p])


def maximise(
    local: Local,
    counts: Callable[[np.ndarray], np.ndarray],
    slopes: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    *,
    low: np.ndarray,
    high: np.ndarray,
    factors: np.ndarray | None = None,
) -> Fitted:
    """Fit parameters of a source together with the factors of everything around it.

    Parameters
    ----------
    local : Local
    counts : callable
        Counts of the source in each band, shape (n_bands,), for parameters (p,).
    slopes : callable
        Their derivatives, shape (n_bands, p).
    start, low, high : ndarray, shape (p,)
        First guess and limits.
    factors : ndarray, shape (q,), optional
        First guess of the factors, 1 by default.

    Returns
    -------
    Fitted

    Notes
    -----
    Fisher scoring: Newton's method with the expected information, with steps that raise the
    likelihood. Parameters at a limit that the slope points beyond stay there.
    """
    p = len(start)
    lowest, highest = (
        np.concatenate([low, local.least]),
        np.concatenate([high, np.full(len(local.least), np.inf)]),
    )
    factors = np.ones(len(local.others)) if factors is None else factors
    values = np.clip(np.concatenate([start, factors]), lowest, highest)
    rows = np.concatenate([local.by_band, local.others])

    def model_of(values: np.ndarray) -> np.ndarray:
        own = counts(values[:p])[local.band] * local.share
        return local.fixed + own + np.einsum("q,qk->k", values[p:], local.others)

    model = model_of(values)
    value, good = local.log_likelihood(model), False
    for _ in range(_ITERATIONS):
        slope, information = _derivatives(local, model, rows, slopes(values[:p]))
        free = ((values > lowest) | (slope > 0)) & ((values < highest) | (slope < 0))
        step = np.zeros(len(values))
        step[free] = solved(information[np.ix_(free, free)], slope[free])
        if slope @ step < _ENOUGH:
            good = True
            break
        share = 1.0
        while True:
            now = np.clip(values + share * step, lowest, highest)
            model = model_of(now)
            new = local.log_likelihood(model)
            if new > value or share < _SHORTEST:
                break
            share /= 2
        if new <= value:
            model = model_of(values)
            good = slope @ step < 100 * _ENOUGH
            break
        values, value = now, new
    slope, information = _derivatives(local, model, rows, slopes(values[:p]))
    return Fitted(values[:p], values[p:], model, value, information, good)


def without(local: Local, factors: np.ndarray | None = None) -> Fitted:
    """Fit everything but the source."""
    none = np.zeros(0)
    zero = np.zeros(local.n_bands)
    return maximise(
        local,
        lambda values: zero,
        lambda values: np.zeros((local.n_bands, 0)),
        none,
        low=none,
        high=none,
        factors=factors,
    )


def _derivatives(
    local: Local, model: np.ndarray, rows: np.ndarray, slopes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slope of the log-likelihood and Fisher information of all parameters."""
    n, p = slopes.shape
    ratio = local.counts / model - 1
    slope = np.einsum("pk,k->p", rows, ratio)
    weighted = rows / model
    information = np.einsum("pk,qk->pq", weighted, rows)
    chain = np.zeros((len(rows), p + len(rows) - n))
    chain[:n, :p] = slopes
    chain[n:, p:] = np.eye(len(rows) - n)
    return chain.T @ slope, chain.T @ information @ chain


def solved(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions of positive definite equations of any scale, shapes (..., p, p) and (..., p)."""
    diagonal = np.einsum("...pp->...p", matrix)
    scale = np.sqrt(np.maximum(diagonal, 1e-300))
    scaled = matrix / (scale[..., :, None] * scale[..., None, :])
    scaled += _RIDGE * np.eye(matrix.shape[-1])
    return np.linalg.solve(scaled, (right / scale)[..., None])[..., 0] / scale


def least_factors(n_neighbours: int, n_bands: int) -> np.ndarray:
    """Least factors of neighbours and of the background of each band."""
    return np.concatenate([np.zeros(n_neighbours), np.full(n_bands, _LEAST_LEVEL)])
