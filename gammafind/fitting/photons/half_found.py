"""Counts at which half of all sources of a place reach a TS, everything else known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.fitting.photons.data import SkyData, source_sizes
from gammafind.fitting.photons.position import LOWER, shifted
from gammafind.fitting.photons.surroundings import Surroundings, centres, gather
from gammafind.sky.projection import local_bases
from gammafind.utils.workers import in_threads

_CHUNK = 400_000
"""Pairs of a position and a pixel per step: limits memory."""
_STEPS = 60
"""Most Newton steps: far more than the slope of a convex curve needs."""
_TOLERANCE = 1e-6
"""Last relative step of the counts."""
_TRIALS = 250
"""Poisson draws at one place and one number of counts."""
_PLACES = 40
"""Places at which the median is simulated: the correction is a smooth curve, known to 0.8 %."""
_RATIOS = np.geomspace(0.7, 1.4, 6)
"""Simulated counts over those of the Asimov TS: from almost none found to almost all."""
_AMPLITUDES = np.geomspace(0.4, 2.2, 10)
"""Fitted counts over those of the Asimov TS: the TS of the best is lower by 0.05 on average."""
_OFFSETS = 0.7 * np.array([(i, j) for j in range(-4, 5) for i in range(-4, 5)], dtype=float)
"""Fitted positions in units of their error: dense and wide enough for the mean."""
_DEGREE = 2
"""Of the polynomial of the correction in the skewness of the likelihood."""


@dataclass(frozen=True, eq=False)
class HalfFound:
    """Sensitivity at n places.

    Attributes
    ----------
    counts : ndarray, shape (n,)
        Counts in all bands of a source that half of the time reaches the TS; infinite where a
        source gives none.
    asimov : ndarray, shape (n,)
        Counts whose expected TS, without any fluctuation, is that TS.
    """

    counts: np.ndarray
    asimov: np.ndarray


def half_found_counts(
    data: SkyData, vectors: np.ndarray, ts: float | np.ndarray, *, rng: np.random.Generator
) -> HalfFound:
    """Counts of a source that half of the time reaches a TS, at each place.

    Parameters
    ----------
    data : SkyData
        Its model is what is expected without the source.
    vectors : ndarray, shape (n, 3)
        Unit vectors of the places.
    ts : float or ndarray, shape (n,)
        Lowest TS of what is found, without weights of pixels.
    rng : numpy.random.Generator
        Draws the fluctuations at some of the places.

    Returns
    -------
    HalfFound

    Notes
    -----
    The TS of the expected counts (the Asimov TS) is not the median TS of drawn ones: the position
    is fitted too, which adds about the chi-squared of two degrees of freedom, and with few photons
    the TS is skewed. Both are simulated at places of all kinds; the ratio of the counts is a curve
    in one number, the skewness of the log-likelihood ratio, with which all places are corrected.
    """
    ts = np.broadcast_to(ts, len(vectors))
    parts = np.array_split(np.arange(len(vectors)), len(vectors) * _pixels(data) // _CHUNK + 1)

    def of_part(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        template, model = _around(data, vectors[part])
        counts = asimov_counts(template, model, ts[part])
        return counts, _skewness(template, model, counts)

    asimov, skewness = (
        np.concatenate(one) for one in zip(*in_threads(of_part, parts), strict=True)
    )
    known = np.flatnonzero(np.isfinite(asimov))
    if not len(known):
        return HalfFound(asimov, asimov)
    ranked = known[np.argsort(skewness[known], kind="stable")]
    chosen = np.unique(ranked[np.linspace(0, len(ranked) - 1, _PLACES).astype(int)])
    sizes = source_sizes(data, vectors[chosen])
    ratio = np.array(
        [
            _simulated_ratio(data, *place, rng)
            for place in zip(vectors[chosen], sizes, asimov[chosen], ts[chosen], strict=True)
        ]
    )
    factor = np.ones(len(vectors))
    factor[known] = _smooth(skewness[chosen], ratio, skewness[known])
    return HalfFound(asimov * factor, asimov)


def asimov_counts(template: np.ndarray, model: np.ndarray, ts: float | np.ndarray) -> np.ndarray:
    """Counts of a source whose expected TS has a value.

    Parameters
    ----------
    template : ndarray, shape (n, k)
        Expected counts of a source of one count in the pixels around each place.
    model : ndarray, shape (n, k)
        Expected counts there without the source, positive.
    ts : float

    Returns
    -------
    ndarray, shape (n,)
        Infinite where the template is zero.
    """
    information = np.einsum("nk,nk->n", template, template / model)
    counts = np.full(len(template), np.inf)
    rows = np.flatnonzero(information > 0)
    ts = np.broadcast_to(ts, len(template))[rows]
    now = np.sqrt(ts / information[rows])
    for _ in range(_STEPS):
        source = now[:, None] * template[rows]
        growth = np.log1p(source / model[rows])
        value = 2 * ((model[rows] + source) * growth - source).sum(axis=1)
        slope = 2 * np.einsum("nk,nk->n", template[rows], growth)
        # The curve is convex: from the second step on Newton's method comes from above.
        step = (value - ts) / slope
        updated = np.maximum(now - step, now / 10)
        moved = np.abs(updated - now).max(initial=0) if len(now) else 0
        large = moved > _TOLERANCE * updated.max(initial=0)
        now = updated
        if not large:
            break
    counts[rows] = now
    return counts


def _pixels(data: SkyData) -> int:
    """Number of pixels of all bands around one place."""
    return max(1, _near(data, _first_places(data)).counts.shape[-1])


def _first_places(data: SkyData) -> np.ndarray:
    band = data.bands[0]
    return band.vectors(np.flatnonzero(band.valid)[:1])[:, None]


def _near(data: SkyData, vectors: np.ndarray) -> Surroundings:
    """Data and sources of the index of ``data`` near some places (n, m, 3)."""
    return gather(data, vectors).weighted(data.shares(centres(vectors)))


def _around(data: SkyData, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Template of one count, and expected counts without it, each (n, k)."""
    near = _near(data, vectors[:, None])
    return near.templates[:, 0], near.model


def _skewness(template: np.ndarray, model: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Skewness of the log-likelihood ratio of a source of some counts, shape (n,)."""
    source = np.where(np.isfinite(counts), counts, 0)[:, None] * template
    weight, mean = np.log1p(source / model), model + source
    second, third = (np.sum(mean * weight**power, axis=1) for power in (2, 3))
    return np.divide(third, second**1.5, out=np.zeros_like(second), where=second > 0)


def _simulated_ratio(
    data: SkyData,
    vector: np.ndarray,
    size: float,
    asimov: float,
    ts: float,
    rng: np.random.Generator,
) -> float:
    """Counts of which half are found over those of the Asimov TS, from Poisson draws."""
    offsets = _OFFSETS * size / np.sqrt(ts)
    places = shifted(vector[None], local_bases(vector[None]), offsets[None])
    near = _near(data, places)
    model, templates = near.model[0], near.templates[0]
    source = templates[len(offsets) // 2]
    mean = model + (asimov * _RATIOS)[:, None] * source
    drawn = rng.poisson(mean[:, None], (len(_RATIOS), _TRIALS, len(model)))
    highest = _ts_at_mean(drawn.reshape(-1, len(model)), model, templates, asimov)
    found = (highest.reshape(len(_RATIOS), _TRIALS) >= ts).mean(axis=1)
    return float(np.exp(np.interp(0.5, np.maximum.accumulate(found), np.log(_RATIOS))))


def _ts_at_mean(
    drawn: np.ndarray, model: np.ndarray, templates: np.ndarray, counts: float
) -> np.ndarray:
    """TS at the mean position of the posterior, as the search publishes it, shape (n,).

    It is the largest of some numbers of counts at each of some positions, so that it is linear in
    the drawn counts.
    """
    best = np.full((len(drawn), len(templates)), -np.inf, dtype=np.float32)
    drawn = drawn.astype(np.float32)
    for amplitude in counts * _AMPLITUDES:
        weights = 2 * np.log1p(amplitude * templates / model)
        ts = drawn @ weights.T.astype(np.float32)
        ts -= (2 * amplitude * templates.sum(axis=1)).astype(np.float32)
        np.maximum(best, ts, out=best)
    weight = np.exp((best - best.max(axis=1, keepdims=True)) / 2)
    weight /= weight.sum(axis=1, keepdims=True)
    mean = weight @ _OFFSETS
    nearest = np.argmin(((mean[:, None] - _OFFSETS) ** 2).sum(axis=-1), axis=1)
    there, highest = best[np.arange(len(best)), nearest], best.max(axis=1)
    return np.where(there < highest - LOWER, highest, there)


def _smooth(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Smooth curve through points, at other places within their range."""
    degree = min(_DEGREE, len(np.unique(x)) - 1)
    curve = np.polynomial.Polynomial.fit(x, np.log(y), max(degree, 0))
    return np.exp(curve(np.clip(at, x.min(), x.max())))
