"""Upper limits of the counts of one source, with its neighbours free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy import sparse
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import chi2

from gammafind.fitting.photons.joint import fit_jointly

CONFIDENCE = 0.95
"""Probability that a limit is above the true counts."""
_CLOSE = 1e-4
"""Relative accuracy of a limit: far below its scatter."""
_MOST_DOUBLINGS = 60
"""Doublings of the first guess of a limit: more than any limit needs."""
_STEEPEST = 60.0
"""Largest exponent of a photon in the saddlepoint: beyond it nothing changes."""
_NO_PHOTON = 1e-9
"""Relative rounding error of a score without photons; its probability is exact."""
_FLAT = 1e-3
"""Signed root below which the saddlepoint formula is replaced by its limit."""
_EXPLAINED = 1e-6
"""Share of the information of a source below which its neighbours explain all of it."""
_TOLERANCE = 1e-4
"""Last relative step of a neighbour: its effect on a limit is far below the accuracy."""


@dataclass(frozen=True, eq=False)
class LocalSky:
    """Counts near one place, and what contributes to them.

    Attributes
    ----------
    counts, fixed : ndarray, shape (k,)
        Observed counts, and expected counts that are not fitted, positive.
    template : ndarray, shape (k,)
        Expected counts of a source of one count at the place.
    neighbours : sparse array, shape (k, m)
        The same of the sources near it, whose counts are free.
    start : ndarray, shape (m,)
        First guess of their counts.
    """

    counts: np.ndarray
    fixed: np.ndarray
    template: np.ndarray
    neighbours: sparse.csr_array
    start: np.ndarray

    @classmethod
    def alone(cls, counts: np.ndarray, fixed: np.ndarray, template: np.ndarray) -> LocalSky:
        """A place without free neighbours."""
        none = sparse.csr_array((len(counts), 0))
        return cls(counts, fixed, template, none, np.zeros(0))


@dataclass(frozen=True, eq=False)
class LocalFit:
    """Fit of one more source.

    Attributes
    ----------
    counts, error : float
        Of the source, not negative, and the 1 sigma error with the neighbours free.
    ts : float
        2 ln of the likelihood ratio with and without the source, the neighbours free in both.
    limit : float
        Upper limit of the counts at 95 %.
    """

    counts: float
    error: float
    ts: float
    limit: float


def fit_place(sky: LocalSky) -> LocalFit:
    """Fit a source, and limit its counts.

    Parameters
    ----------
    sky : LocalSky
        The sum of its template must be positive.

    Returns
    -------
    LocalFit

    Notes
    -----
    The limit is the larger one of two. The first is where the profile likelihood is lower than its
    maximum over counts that are not negative by ``2 delta ln L = 2.71``. In the limit of many
    photons it covers 100 % without a source, 97 % at an expected TS of 1, and 95 % above 2.7. For
    few photons it covers too little: without background and photons it is 1.35 counts, where 3.00
    is right. The second limit is where the score at these counts, a weighted sum of photons, is
    as low as observed or lower with a probability of 5 %. The probability is that of the weighted
    sum of Poisson numbers in the saddlepoint approximation, which is accurate for few photons; the
    weights are those of the efficient score, whose correlation with the neighbours is removed.
    For a downward fluctuation the second limit could be zero; the first one cannot.
    A Bayesian limit with a flat prior covers 98 to 100 % at an expected TS of 4
    (benchmarks/upper_limits.py).

    References
    ----------
    Rolke et al. 2005, NIM A 551, 493 (doi:10.1016/j.nima.2005.05.068); Cowan et al. 2011, EPJC 71,
    1554 (doi:10.1140/epjc/s10052-011-1554-0); Lugannani & Rice 1980, Adv. Appl. Prob. 12, 475
    (doi:10.2307/1426607).
    """
    profile = Profile(sky)
    best, information = profile.best()
    error = information**-0.5
    ts = max(2 * (profile.at(best).log_likelihood - profile.at(0.0).log_likelihood), 0.0)
    limit = max(profile_limit(profile, best, error), score_limit(profile, best, error))
    return LocalFit(counts=best, error=error, ts=ts, limit=limit)


@dataclass(frozen=True, eq=False)
class _Point:
    """The likelihood at given counts of the source, the neighbours fitted.

    Attributes
    ----------
    log_likelihood : float
        Up to a constant.
    model : ndarray, shape (k,)
    weight : ndarray, shape (k,)
        Weights of the photons in the efficient score.
    score : float
        Its observed value; its mean is zero.
    """

    log_likelihood: float
    model: np.ndarray
    weight: np.ndarray
    score: float


@dataclass(eq=False)
class Profile:
    """The likelihood of the counts near a place against those of a source there.

    Parameters
    ----------
    sky : LocalSky
    """

    sky: LocalSky
    _amplitude: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self._amplitude = self.sky.start
        self.at = lru_cache(maxsize=None)(self._at)

    def best(self) -> tuple[float, float]:
        """Most likely counts, and their information with the neighbours free."""
        sky = self.sky
        templates = sparse.hstack([sparse.csr_array(sky.template[:, None]), sky.neighbours])
        excess = np.sum((sky.counts - sky.fixed)[sky.template > 0])
        excess -= (sky.neighbours @ sky.start)[sky.template > 0].sum()
        start = np.concatenate([[max(excess, 0.0)], sky.start])
        fit = fit_jointly(sky.counts, sky.fixed, templates.tocsr(), start, tolerance=_TOLERANCE)
        self._amplitude = fit.amplitude[1:]
        information = fit.information.toarray()
        return float(fit.amplitude[0]), float(1 / np.linalg.inv(information)[0, 0])

    def _at(self, counts: float) -> _Point:
        """Likelihood at given counts of the source; `at` keeps the results."""
        sky = self.sky
        model, template = sky.fixed + counts * sky.template, sky.template
        if sky.neighbours.shape[1]:
            fit = fit_jointly(
                sky.counts, model, sky.neighbours, self._amplitude, tolerance=_TOLERANCE
            )
            model = model + sky.neighbours @ fit.amplitude
            template = _without(template, sky.neighbours[:, fit.amplitude > 0], model)
        weight = template / model
        return _Point(
            log_likelihood=float(sky.counts @ np.log(model) - model.sum()),
            model=model,
            weight=weight,
            score=float((sky.counts - model) @ weight),
        )


def _without(template: np.ndarray, others: sparse.csr_array, model: np.ndarray) -> np.ndarray:
    """Template less what others can explain of it, for Poisson counts of a model."""
    weighted = others.T @ sparse.diags_array(1 / model)
    matrix = (weighted @ others).toarray()
    share = np.linalg.lstsq(matrix, weighted @ template, rcond=None)[0]
    left = template - others @ share
    shown = left**2 @ (1 / model) > _EXPLAINED * (template**2 @ (1 / model))
    return left if shown else np.zeros(len(left))


def profile_limit(profile: Profile, best: float, error: float) -> float:
    """Counts at which the profile likelihood is lower than its maximum by the drop of a limit."""
    highest = profile.at(best).log_likelihood
    drop = chi2.ppf(2 * CONFIDENCE - 1, 1) / 2
    return _crossing(lambda counts: profile.at(counts).log_likelihood - highest + drop, best, error)


def score_limit(profile: Profile, best: float, error: float) -> float:
    """Counts at which a score as low as observed has the probability of a wrong limit."""
    level = ndtri(1 - CONFIDENCE)

    def above(counts: float) -> float:
        point = profile.at(counts)
        return lower_tail(point.model, point.weight, point.score) - level

    return _crossing(above, best, error)


def _crossing(function: Callable[[float], float], low: float, step: float) -> float:
    """Where a decreasing function is zero; ``low`` if it is negative there."""
    if function(low) <= 0:
        return low
    high = low + 2 * step
    for _ in range(_MOST_DOUBLINGS):
        if function(high) < 0:
            break
        low, high = high, high + 2 * (high - low)
    return float(brentq(function, low, high, rtol=_CLOSE, xtol=_CLOSE * step))


def lower_tail(mean: np.ndarray, weight: np.ndarray, value: float) -> float:
    """Probability that a weighted sum of Poisson numbers is at most ``value``, in sigma.

    Parameters
    ----------
    mean, weight : ndarray, shape (k,)
        Means of the numbers, and their weights.
    value : float
        Of ``sum(weight * (number - mean))``.

    Returns
    -------
    float
        Argument of the normal distribution function with the same probability; infinite if all
        weights are zero.
    """
    used = weight != 0
    if not used.any():
        return np.inf
    mean, weight = mean[used], weight[used]
    if weight.min() > 0 and value <= -(1 - _NO_PHOTON) * (mean @ weight):
        return float(ndtri(np.exp(-mean.sum())))
    variance = mean @ weight**2
    tilt = _saddlepoint(mean, weight, value)
    growth = np.expm1(tilt * weight)
    exponent = tilt * value - mean @ (growth - tilt * weight)
    root = np.sign(tilt) * np.sqrt(2 * max(exponent, 0.0))
    if abs(root) < _FLAT:
        return root + (mean @ weight**3) / (6 * variance**1.5)
    other = tilt * np.sqrt(mean @ (weight**2 * (1 + growth)))
    tail = ndtr(root) + np.exp(-(root**2) / 2) / np.sqrt(2 * np.pi) * (1 / root - 1 / other)
    if not 0 < tail < 1:
        return root
    return float(ndtri(tail))


def _saddlepoint(mean: np.ndarray, weight: np.ndarray, value: float) -> float:
    """Tilt at which the mean of the weighted sum is ``value``."""
    most = _STEEPEST / np.abs(weight).max()

    def excess(tilt: float) -> float:
        return float(mean @ (weight * np.expm1(tilt * weight))) - value

    if excess(-most) >= 0:
        return -most
    if excess(most) <= 0:
        return most
    return float(brentq(excess, -most, most, rtol=1e-10))
