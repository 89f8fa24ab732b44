"""All rates of one region of the sky at a given purity, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from gammafind.evaluation.curves import Bins, half_found, log_bins, quantile_bins
from gammafind.evaluation.intervals import bootstrap_interval
from gammafind.evaluation.metrics import Evaluation, purity_cut, rates, score_curve

_STEP = 0.2
"""Width in decades of the bins of flux and TS: balances noise and resolution."""
_SCORE_BINS = 12
"""Number of bins of the purity against score: balances noise and resolution."""
_CURVE_POINTS = 100
"""Points of a stored curve: enough for a plot, and keeps files small."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SourceAxes:
    """Known properties of the true sources.

    Parameters
    ----------
    brighter : mapping of str to ndarray of bool, each of shape (m,)
        Selections by their names, such as sources above a flux.
    flux, ts : ndarray, shape (m,), optional
        Flux, and expected TS.
    """

    brighter: Mapping[str, np.ndarray] = field(default_factory=dict)
    flux: np.ndarray | None = None
    ts: np.ndarray | None = None

    def select(self, rows: np.ndarray) -> SourceAxes:
        """Return the properties of some of the sources."""
        return SourceAxes(
            brighter={name: mask[rows] for name, mask in self.brighter.items()},
            flux=None if self.flux is None else self.flux[rows],
            ts=None if self.ts is None else self.ts[rows],
        )


def region_entry(
    evaluation: Evaluation,
    axes: SourceAxes,
    *,
    purity: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Rates at the lowest score cut of a purity, ready for JSON.

    Parameters
    ----------
    evaluation : Evaluation
        Detections and sources of the region.
    axes : SourceAxes
        Properties of the same sources.
    purity : float
    rng : numpy.random.Generator
        Draws the bootstrap; each draw determines its own cut.

    Returns
    -------
    dict
        As described in `gammafind.evaluation.performance.measure_performance`. Bright sources,
        bins of flux and TS, and TS50 use the cut of the region; purity against score uses no cut.
    """
    bins = _bins(evaluation, axes)
    values = _with_intervals(evaluation, lambda e: _measures(e, axes, bins, purity), rng)
    cut = purity_cut(evaluation, purity=purity)
    found = evaluation.found(cut)
    entry = _counts(evaluation, cut) | _shares(values, "completeness", "purity")
    entry["brighter"] = {
        name: {"n_sources": int(mask.sum()), "n_found": int((mask & found).sum())}
        | _share("completeness", values["brighter"][:, i])
        for i, (name, mask) in enumerate(axes.brighter.items())
    }
    entry |= _shares(values, "ts50") if "by_ts" in bins else {}
    for axis in bins:
        name, hits = (
            ("purity", evaluation.matched) if axis == "by_score" else ("completeness", found)
        )
        entry[axis] = _bins_entry(name, bins[axis], hits, values[axis])
    return entry | {"curve": _curve_entry(evaluation)}


def rates_entry(evaluation: Evaluation, *, cut: float, rng: np.random.Generator) -> dict[str, Any]:
    """Rates at a score cut, with intervals, ready for JSON."""

    def measure(one: Evaluation) -> dict[str, np.ndarray]:
        whole = rates(one, cut=cut)
        return {"completeness": np.array([whole.completeness]), "purity": np.array([whole.purity])}

    values = _with_intervals(evaluation, measure, rng)
    return _counts(evaluation, cut) | _shares(values, "completeness", "purity")


def number(value: float) -> float | None:
    """Float, or None if it is not finite, which JSON does not allow."""
    return float(value) if math.isfinite(value) else None


def _bins(evaluation: Evaluation, axes: SourceAxes) -> dict[str, Bins]:
    """Bins of the sources in flux and TS, as far as known, and of the scores."""
    bins = {}
    if axes.flux is not None:
        bins["by_flux"] = log_bins(axes.flux, _STEP)
    if axes.ts is not None:
        bins["by_ts"] = log_bins(axes.ts, _STEP)
    return bins | {"by_score": quantile_bins(evaluation.score, _SCORE_BINS)}


def _measures(
    evaluation: Evaluation, axes: SourceAxes, bins: Mapping[str, Bins], purity: float
) -> dict[str, np.ndarray]:
    """All numbers that get an interval, each as an array (k,)."""
    cut = purity_cut(evaluation, purity=purity)
    whole, found, times = rates(evaluation, cut=cut), evaluation.found(cut), evaluation.source_times
    brighter = [_fraction(found[mask], times[mask]) for mask in axes.brighter.values()]
    measures = {
        "completeness": np.array([whole.completeness]),
        "purity": np.array([whole.purity]),
        "brighter": np.array(brighter, dtype=float),
    }
    if "by_ts" in bins:
        measures["ts50"] = np.array([half_found(axes.ts, found, times)])
    for axis, group in bins.items():
        if axis == "by_score":
            measures[axis] = group.fraction(evaluation.matched, evaluation.detection_times)
        else:
            measures[axis] = group.fraction(found, times)
    return measures


def _with_intervals(
    evaluation: Evaluation,
    measure: Callable[[Evaluation], dict[str, np.ndarray]],
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Each measure with the low and the high ends of its intervals, shape (3, k)."""

    def flat(one: Evaluation) -> np.ndarray:
        return np.concatenate(list(measure(one).values()))

    sizes = {name: len(values) for name, values in measure(evaluation).items()}
    stacked = np.stack([flat(evaluation), *bootstrap_interval(evaluation, flat, rng=rng)])
    parts = np.split(stacked, np.cumsum(list(sizes.values()))[:-1], axis=1)
    return dict(zip(sizes, parts, strict=True))


def _fraction(hits: np.ndarray, times: np.ndarray) -> float:
    total = times.sum()
    return times @ hits / total if total else np.nan


def _counts(evaluation: Evaluation, cut: float) -> dict[str, Any]:
    found = rates(evaluation, cut=cut)
    return {**asdict(found), "cut": number(found.cut)}


def _shares(values: Mapping[str, np.ndarray], *names: str) -> dict[str, Any]:
    return {k: v for name in names for k, v in _share(name, values[name][:, 0]).items()}


def _share(name: str, values: np.ndarray) -> dict[str, Any]:
    """Value, and low and high end of its interval, shape (3,)."""
    value, low, high = map(number, values)
    return {name: value, f"{name}_68": [low, high]}


def _bins_entry(name: str, bins: Bins, hits: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    """Edges of bins, number in each bin, and the share with its interval, shape (3, k)."""
    return {
        "low": bins.edges[:-1].tolist(),
        "high": bins.edges[1:].tolist(),
        "middle": bins.middle.tolist(),
        "n": bins.count(np.ones(len(hits))).astype(int).tolist(),
        "n_hits": bins.count(hits.astype(float)).astype(int).tolist(),
        name: [number(value) for value in values[0]],
        f"{name}_68": [[number(low), number(high)] for low, high in values[1:].T],
    }


def _curve_entry(evaluation: Evaluation) -> dict[str, list[float | None]]:
    """Completeness and purity at up to 100 score cuts, highest first."""
    curve = score_curve(evaluation)
    n_points = min(len(curve), _CURVE_POINTS)
    chosen = np.linspace(0, len(curve) - 1, n_points).astype(int)
    return {
        name: [number(value) for value in curve[name][chosen]]
        for name in ("cut", "completeness", "purity")
    }
