"""Extended sources of a search: which points become one, and which of them stay in the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from gammafind.fitting.photons.data import source_size, source_sizes
from gammafind.fitting.photons.extended_templates import ExtendedSource, round_source, ts_alone
from gammafind.fitting.photons.extension import Extension, fit_extension
from gammafind.fitting.photons.extension_scan import quick_extension
from gammafind.fitting.photons.sky_model import SkyModel

_QUICK = 2.0
"""Quick TS of extension from which a source is fitted: higher ones may exceed the threshold with
another position."""
_CROWD, _CROWD_RADIUS, _MOST_UNITS = 3, 1.0, 4.0
"""Points within a radius in degrees, or this many units, whose brightest one is fitted: an extended
source breaks up into several."""
_ABSENT = 0.3
"""Share of the threshold below which a source is absent, whatever is next to it."""
_BETWEEN = 5.0
"""Distance of the edges of extended sources, in degrees, beyond which they do not exchange counts:
the wings of the widest PSF."""
_ROUNDS = 3
"""Most rounds of replacements: those next to each other come one after the other."""
_APART = 3.0
"""Distance of replacements in one round, in units: their pixels do not overlap much."""


def replace_points(
    model: SkyModel, ts: np.ndarray, *, least: float, threshold: float
) -> np.ndarray:
    """Replace points by extended sources where that is much more probable.

    Parameters
    ----------
    model : SkyModel
    ts : ndarray, shape (n,)
        TS of the points.
    least : float
        TS of a point from which its extension is tested.
    threshold : float
        Lowest TS of an extension.

    Returns
    -------
    ndarray, shape (n,)
        TS of the extension of each point that is left; NaN where it was not tested.
    """
    tested = np.full(len(ts), np.nan)
    unit = 2 * source_size(model.data)
    for _ in range(_ROUNDS):
        rows = _rows(model, ts >= least)
        rows = rows[np.isnan(tested[rows])]
        found = _tests(model, rows, tested, unit, threshold)
        chosen = _best_apart(found, _APART * unit)
        if not chosen:
            break
        kept = np.ones(len(ts), dtype=bool)
        for one in chosen:
            _put(model, one)
            kept[one.replaced] = False
            tested[_within(model.vectors, one, _APART * unit)] = np.nan
        model.keep(np.flatnonzero(kept))
        model.update(background=False)
        ts, tested = ts[kept], tested[kept]
    return tested


def keep_significant(model: SkyModel, threshold: float) -> None:
    """Drop extended sources whose TS is below a threshold, the faintest first.

    Those that are far below it, or far from fainter ones, go together, as no neighbour of theirs
    would raise it.
    """
    while model.extended:
        ts = ts_alone(model.data, model.extended, model.extended_counts)
        dropped: list[int] = []
        for row in np.argsort(ts):
            far = not any(_near(model.extended[row], model.extended[i]) for i in dropped)
            if ts[row] < threshold and (far or ts[row] <= _ABSENT * threshold):
                dropped.append(int(row))
        if not dropped:
            return
        model.keep_extended(np.setdiff1d(np.arange(len(ts)), dropped))
        model.update(background=False)


def _near(one: ExtendedSource, other: ExtendedSource) -> bool:
    """Whether the pixels of two extended sources overlap."""
    return bool(one.holds(other.vector, other.radius + _BETWEEN))


def on_known(model: SkyModel) -> np.ndarray:
    """Which points are on an extended source that is known beforehand, or next to it."""
    margin = source_sizes(model.data, model.vectors)
    found = np.zeros(len(model.vectors), dtype=bool)
    for one in model.extended:
        if one.name:
            found |= one.holds(model.vectors, margin)
    return found


def _rows(model: SkyModel, bright: np.ndarray) -> np.ndarray:
    """Points whose extension is tested: bright, and not on a known extended source."""
    return np.flatnonzero(bright & ~on_known(model))


def _tests(
    model: SkyModel, rows: np.ndarray, tested: np.ndarray, unit: float, threshold: float
) -> list[Extension]:
    """Extended sources above ``threshold``; write the TS of the tested ``rows`` into ``tested``.

    The most promising point comes first. Those next to an extended source stay untested: they
    are tested when it is in the model.
    """
    vectors, counts = model.vectors, model.counts
    quick = quick_extension(model.data, vectors[rows], counts[rows], unit)
    tested[rows] = np.maximum(quick, 0)
    radius = min(_MOST_UNITS * unit, max(unit, _CROWD_RADIUS))
    crowded = _brightest_of_crowd(vectors, counts.sum(axis=1), radius)[rows]
    chosen = np.flatnonzero((quick > _QUICK) | crowded)
    sizes = source_sizes(model.data, vectors[rows[chosen]])
    order = np.argsort(-quick[chosen], kind="stable")
    found: list[Extension] = []
    taken = np.zeros(len(vectors), dtype=bool)
    for row, size in zip(rows[chosen][order], sizes[order], strict=True):
        if taken[row]:
            tested[row] = np.nan
            continue
        one = fit_extension(model.data, vectors, counts, int(row), float(size), unit)
        if one is None:
            continue
        tested[row] = max(one.ts, 0)
        if one.ts >= threshold:
            found.append(one)
            taken[one.replaced] = True
            taken |= _within(vectors, one, _APART * unit)
    return found


def _within(vectors: np.ndarray, one: Extension, radius: float) -> np.ndarray:
    """Which points are within a radius in degrees of the centre of an extended source."""
    return np.degrees(np.linalg.norm(vectors - one.vector, axis=1)) < radius


def _brightest_of_crowd(vectors: np.ndarray, counts: np.ndarray, radius: float) -> np.ndarray:
    """Which points are the brightest of several within a radius in degrees, shape (n,)."""
    if not len(vectors):
        return np.zeros(0, dtype=bool)
    reach = 2 * np.sin(np.radians(radius) / 2)
    near = cKDTree(vectors).query_ball_point(vectors, reach)
    pairs = zip(counts, near, strict=True)
    return np.array([len(rows) >= _CROWD and own >= counts[rows].max() for own, rows in pairs])


def _best_apart(found: list[Extension], least: float) -> list[Extension]:
    """The most significant ones, none within ``least`` degrees of a more significant one."""
    chosen: list[Extension] = []
    for one in sorted(found, key=lambda each: -each.ts):
        apart = [np.degrees(np.linalg.norm(one.vector - other.vector)) for other in chosen]
        if min(apart, default=np.inf) > least:
            chosen.append(one)
    return chosen


def _put(model: SkyModel, one: Extension) -> None:
    """Add an extended source to a model."""
    source = round_source(model.data, one.vector, one.shape)
    source = replace(source, ts=one.ts, r68_error=one.r68_error, sigma=one.sigma)
    model.add_extended(source, one.counts)
