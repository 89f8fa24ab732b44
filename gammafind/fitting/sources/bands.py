"""Fluxes of one source in each band, with asymmetric errors and limits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from gammafind.fitting.photons.limits import profile_limit, score_limit
from gammafind.fitting.sources.local import Fitted, Local, maximise, solved

_DROP = 0.5
"""Drop of the log-likelihood at the ends of a 68 % interval."""
LIMITED = 1.0
"""TS below which a flux has a limit, as in 4FGL."""
_LEAST = 1e-12
"""Least expected counts of a pixel on a path: keeps logarithms finite."""
_WIDEST = 60
"""Doublings of the first guess of the end of an interval: more than any needs."""


@dataclass(frozen=True, eq=False)
class BandFits:
    """Factors of the spectrum in each of n bands of energies.

    Attributes
    ----------
    factor : ndarray, shape (n,)
        Not negative; 1 where the counts are those of the spectrum.
    below, above : ndarray, shape (n,)
        Distances to the ends of the 68 % interval.
    limit : ndarray, shape (n,)
        Upper limit at 95 % where TS is below `LIMITED`, NaN elsewhere.
    ts : ndarray, shape (n,)
    good : bool
        Whether the fit converged.
    """

    factor: np.ndarray
    below: np.ndarray
    above: np.ndarray
    limit: np.ndarray
    ts: np.ndarray
    good: bool


class _Point(NamedTuple):
    """As in `gammafind.fitting.photons.limits`."""

    log_likelihood: float
    model: np.ndarray
    weight: np.ndarray
    score: float


class _Path:
    """The likelihood against the counts of one band, all else following to first order."""

    def __init__(self, local: Local, model: np.ndarray, direction: np.ndarray, best: float):
        self._counts, self._model, self._direction, self._best = (
            local.counts,
            model,
            direction,
            best,
        )
        self.at = lru_cache(maxsize=None)(self._at)

    def change(self, factor: float) -> float:
        """Log-likelihood less that of the best factor."""
        return self.at(factor).log_likelihood - self.at(self._best).log_likelihood

    def _at(self, factor: float) -> _Point:
        model = np.maximum(self._model + (factor - self._best) * self._direction, _LEAST)
        weight = self._direction / model
        return _Point(
            log_likelihood=float(self._counts @ np.log(model) - model.sum()),
            model=model,
            weight=weight,
            score=float((self._counts - model) @ weight),
        )


def fit_bands(local: Local, counts: np.ndarray, group: np.ndarray, factors: np.ndarray) -> BandFits:
    """Fit a factor of the counts in each band of energies, all else free.

    Parameters
    ----------
    local : Local
    counts : ndarray, shape (n_bands,)
        Counts of the spectrum in each band.
    group : ndarray of int, shape (n_bands,)
        Band of energies of each band: channels of the same energies share a factor.
    factors : ndarray, shape (q,)
        First guess of the factors of everything else.
    """
    n = int(group.max()) + 1
    slopes = counts[:, None] * (group[:, None] == np.arange(n))
    fitted = _fit(local, slopes, np.ones(n), factors)
    rows = np.concatenate([slopes.T @ local.by_band, local.others])
    best = fitted.values
    error = np.sqrt(np.diag(fitted.covariance()))
    found = np.full((4, n), np.nan)
    for i in range(n):
        if not rows[i].any():
            continue
        path = _Path(local, fitted.model, _direction(rows, fitted, i), best[i])
        ts = _ts(local, slopes, fitted, i)
        above = _end(path, best[i], error[i])
        below = _end(path, best[i], -min(error[i], best[i] / 2)) if ts >= LIMITED else np.nan
        limit = np.nan
        if ts < LIMITED:
            limit = max(
                profile_limit(path, best[i], error[i]), score_limit(path, best[i], error[i])
            )
        found[:, i] = below, above, limit, ts
    below, above, limit, ts = found
    return BandFits(best, below, above, limit, ts, fitted.good)


def _fit(local: Local, slopes: np.ndarray, start: np.ndarray, factors: np.ndarray) -> Fitted:
    n = slopes.shape[1]
    return maximise(
        local,
        lambda values: slopes @ values,
        lambda values: slopes,
        start,
        low=np.zeros(n),
        high=np.full(n, np.inf),
        factors=factors,
    )


def _direction(rows: np.ndarray, fitted: Fitted, i: int) -> np.ndarray:
    """Change of the expected counts with one factor, where all others follow it."""
    rest = np.ones(len(rows), dtype=bool)
    rest[i] = False
    held = np.concatenate([fitted.values, fitted.factors]) <= 0
    rest &= ~held
    matrix = fitted.information[np.ix_(rest, rest)]
    share = solved(matrix, fitted.information[rest, i])
    return rows[i] - np.einsum("q,qk->k", share, rows[rest])


def _ts(local: Local, slopes: np.ndarray, fitted: Fitted, i: int) -> float:
    """2 ln of the likelihood ratio with and without the counts of one band."""
    if fitted.values[i] <= 0:
        return 0.0
    rest = np.delete(slopes, i, axis=1)
    null = _fit(local, rest, np.delete(fitted.values, i), fitted.factors)
    return max(2 * (fitted.log_likelihood - null.log_likelihood), 0.0)


def _end(path: _Path, best: float, step: float) -> float:
    """Distance to the end of the interval on the side of a step."""
    far = step
    for _ in range(_WIDEST):
        if path.change(best + far) < -_DROP:
            break
        far *= 2
        if step < 0 and far <= -best:
            far = -best
            break
    if path.change(best + far) >= -_DROP:
        return abs(far)
    return abs(brentq(lambda move: path.change(best + move) + _DROP, 0.0, far, rtol=1e-4))
