"""Amplitudes of one source in each epoch: errors, limits, and whether they vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from gammafind.fitting.photons.epoch_profile import EpochProfile, EpochSky
from gammafind.fitting.photons.limits import CONFIDENCE, LocalSky, Profile, score_limit

_STEPS = 6
"""Newton steps to where a likelihood is lower by a given amount: accurate to 1e-3 of an error."""
_ROUNDS = 8
"""Steps to the most likely constant amplitude, and to its weights."""
_RATIOS = 400
"""Classes of pixels by the share of the source in them, for limits: as exact as all pixels."""
_LIMIT_DROP = chi2.ppf(2 * CONFIDENCE - 1, 1)
"""Fall of 2 ln of the likelihood at an upper limit."""
_FAINTEST = 1.0
"""TS below which an epoch has an upper limit, as in 4FGL."""


@dataclass(frozen=True, eq=False)
class LightCurve:
    """Amplitudes of a source in n epochs; NaN in those without exposure.

    Attributes
    ----------
    amplitude : ndarray, shape (n,)
        Counts in the whole time of a steady source as bright as in the epoch; not negative.
    lower, upper : ndarray, shape (n,)
        Errors to both sides. Where TS is below 1, ``lower`` is NaN, and ``upper`` is half of the
        way to the limit.
    limit : ndarray, shape (n,)
        Upper limit at 95 %, where TS is below 1; NaN elsewhere.
    ts : ndarray, shape (n,)
        2 ln of the likelihood ratio with and without the source.
    constant : float
        Most likely amplitude of a steady source.
    variability : float
        2 ln of the likelihood ratio of amplitudes that are free and of the constant one; NaN for
        less than two epochs.
    """

    amplitude: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    limit: np.ndarray
    ts: np.ndarray
    constant: float
    variability: float


def fit_light_curve(sky: EpochSky, *, systematic: np.ndarray | float = 0.0) -> LightCurve:
    """Fit a source in each epoch, and limit it where it is faint.

    Parameters
    ----------
    sky : EpochSky
    systematic : float or ndarray, shape (n_epochs,)
        Relative systematic error of the amplitudes, which `LightCurve.variability` allows for.

    Returns
    -------
    LightCurve

    Notes
    -----
    Errors are where the profile likelihood is lower than its maximum by ``2 delta ln L = 1``, the
    neighbours free. A limit is the larger one of two, as in
    `gammafind.fitting.photons.limits.fit_place`: that of the profile likelihood, and that of the
    score, for which the neighbours stay at their most likely amplitudes.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, section 3.6 (arXiv:1902.10045).
    """
    profile = EpochProfile(sky)
    best, highest = profile.best()
    around = profile.neighbours()
    exposed = sky.in_bands(sky.templates[:, 0]) @ sky.shares.T > 0
    scale = profile.errors()
    zero, _ = profile.at(np.zeros(sky.n_epochs))
    ts = np.maximum(2 * (highest - zero), 0)
    ends = _End(profile, best, highest)
    upper = ends.beyond(best + scale, 1.0) - best
    lower = best - np.where(ts > 1, ends.beyond(np.maximum(best - scale, 0), 1.0), 0)
    constant, variability = _constant(profile, best, highest, upper, exposed, systematic)
    faint = exposed & (ts < _FAINTEST)
    limit = np.full(sky.n_epochs, np.nan)
    if faint.any():
        of_profile = ends.beyond(best + 2 * scale, _LIMIT_DROP)
        limit[faint] = [
            max(of_profile[i], _score_limit(sky, i, around[i], best[i], scale[i]))
            for i in np.flatnonzero(faint)
        ]
    upper = np.where(faint, (limit - best) / 2, upper)
    return LightCurve(
        *(
            np.where(exposed, values, np.nan)
            for values in (best, np.where(faint, np.nan, lower), upper, limit, ts)
        ),
        constant,
        variability,
    )


@dataclass(frozen=True, eq=False)
class _End:
    """Where the profile likelihoods of the epochs fall below their maxima."""

    profile: EpochProfile
    best: np.ndarray
    highest: np.ndarray

    def beyond(self, start: np.ndarray, drop: float) -> np.ndarray:
        """Amplitudes at which 2 ln L is lower by ``drop``, on the side of ``start``.

        The likelihood is concave, so that Newton's method converges from beyond after one step.
        """
        above = start > self.best
        amplitude = start
        for _ in range(_STEPS):
            value, slope = self.profile.at(amplitude)
            excess = 2 * (self.highest - value) - drop
            safe = np.where(slope == 0, 1.0, slope)
            found = np.where(slope == 0, amplitude, amplitude + excess / (2 * safe))
            low, high = np.where(above, self.best, 0), np.where(above, np.inf, self.best)
            amplitude = np.clip(found, low, high)
        return amplitude


def _constant(
    profile: EpochProfile,
    best: np.ndarray,
    highest: np.ndarray,
    error: np.ndarray,
    exposed: np.ndarray,
    systematic: np.ndarray | float,
) -> tuple[float, float]:
    """Most likely constant amplitude, and 2 ln of the ratio of free amplitudes to it."""
    if not exposed.any():
        return np.nan, np.nan
    variance = np.where(exposed, error, np.inf) ** 2
    constant = float(np.sum(np.where(exposed, best, 0) / variance) / np.sum(1 / variance))
    curvature = np.sum(1 / variance)
    before = None
    for _ in range(_ROUNDS):
        weight = exposed * variance_share(variance, systematic, constant)
        value, slope = profile.at(np.full(len(best), constant))
        total = float(weight @ slope)
        if before is not None and constant != before[0]:
            secant = (before[1] - total) / (constant - before[0])
            curvature = secant if secant > 0 else curvature
        before = constant, total
        constant = max(constant + total / curvature, 0.0)
    value, _ = profile.at(np.full(len(best), constant))
    ratio = 2 * float(weight @ np.maximum(highest - value, 0))
    return constant, ratio if np.count_nonzero(exposed) > 1 else np.nan


def variance_share(
    variance: np.ndarray, systematic: np.ndarray | float, constant: float
) -> np.ndarray:
    """Share of the statistical variance in the whole one; 0 where it is infinite."""
    known = np.isfinite(variance)
    safe = np.where(known, variance, 1.0)
    whole = np.maximum(safe + (systematic * constant) ** 2, 1e-300)
    return np.where(known, safe / whole, 0.0)


def _score_limit(sky: EpochSky, epoch: int, around: np.ndarray, best: float, error: float) -> float:
    """Upper limit in an epoch by the score, the neighbours fixed."""
    share = sky.shares[epoch][sky.band]
    here = sky.epoch == epoch
    counts = np.bincount(sky.row[here], sky.counts[here], minlength=len(sky.fixed))
    fixed = share * (sky.fixed + sky.templates[:, 1:] @ around)
    template = share * sky.templates[:, 0]
    used = (template > 0) & (fixed > 0)
    parts = _merged(counts[used], fixed[used], template[used])
    return score_limit(Profile(LocalSky.alone(*parts)), best, error)


def _merged(
    counts: np.ndarray, fixed: np.ndarray, template: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums over pixels with nearly the same share of the source, which stand for all of them."""
    ratio = np.log(template / fixed)
    width = max(np.ptp(ratio) / _RATIOS, 1e-12)
    group = ((ratio - ratio.min()) / width).astype(int)
    sums = [np.bincount(group, values) for values in (counts, fixed, template)]
    filled = sums[1] > 0
    return tuple(values[filled] for values in sums)
