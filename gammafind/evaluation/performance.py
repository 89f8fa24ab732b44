"""One evaluation in numbers, ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import checked_numbers, column_of, numbers
from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError
from gammafind.evaluation.brightness import (
    MinFlux,
    default_min_fluxes,
    expected_ts_of,
    flux_axis,
)
from gammafind.evaluation.metrics import evaluate_detections, purity_cut, scores_of
from gammafind.evaluation.offsets import Offsets, measure_offsets
from gammafind.evaluation.regional import SourceAxes, number, rates_entry, region_entry
from gammafind.evaluation.regions import REGIONS, latitudes
from gammafind.units import degrees

_TIGHT = 0.1
"""Smallest radius in degrees of the tight matching: allows for position errors that are too
small."""
_SIGNIFICANT = 25.0
"""TS above which offsets are reported separately: the usual threshold of a detection."""
_OFFSET_EDGES = np.arange(0, 6.01, 0.25)
"""Edges of the histogram of normalised offsets."""


def measure_performance(
    detections: QTable,
    truth: QTable,
    *,
    rng: np.random.Generator,
    radius: Quantity = 0.5 * u.deg,
    min_latitude: Quantity = 0 * u.deg,
    score: str = "score",
    error: str = "pos_err",
    cut: float = -np.inf,
    purity: float = 0.90,
    min_fluxes: Sequence[MinFlux] = (),
) -> dict[str, Any]:
    """Completeness, purity and offsets of a set of detections, on the whole sky and in parts.

    Detections are matched to the true sources once for each radius; all selections follow.
    Intervals are those of `gammafind.evaluation.intervals.bootstrap_interval`.

    Parameters
    ----------
    detections, truth : QTable
        As for `gammafind.evaluation.metrics.evaluate_detections`. A column ``ts`` in ``truth`` is
        the expected TS of each source.
    rng : numpy.random.Generator
        Draws the bootstrap.
    radius : Quantity
        Largest separation of a pair.
    min_latitude : Quantity
        Detections and sources nearer to the Galactic plane are ignored.
    score : str
        Column of the score.
    error : str
        Column of the 68 % position error.
    cut : float
        Score cut of the entry ``at_cut`` and, if it is above that of the purity, of the offsets.
    purity : float
        Purity of the entry ``at_purity``.
    min_fluxes : sequence of MinFlux
        Selections of bright sources; by default those with an ``energy_flux`` of 3.4e-13 and of
        1e-12 erg / (cm2 s) or more, if the truth has such a column.

    Returns
    -------
    dict
        NaN is written as None.

        ``at_cut``: rates of all detections above the cut. ``at_purity``: for each of the
        `gammafind.evaluation.regions.REGIONS` the lowest score cut with this purity in the region;
        the completeness of all sources at this cut, and in ``brighter`` of bright ones; ``by_flux``
        and ``by_ts``, completeness in bins; ``ts50`` of `gammafind.evaluation.curves.half_found`;
        ``by_score``, purity of detections in bins of their score; ``curve``, completeness and
        purity at any cut. ``tight``: rates at the same cuts with a tight radius, the 95 % position
        error of each detection, within 0.1 deg and ``radius``; None if no error is known.
        ``offsets``: medians in degrees and fractions within the position errors, of ``all`` pairs
        and of those with a TS above 25: the expected one of the source or, if not known, the
        measured one.

    Raises
    ------
    TableError
        If a table lacks positions, scores or a requested flux, or a column has another unit.
    OptionError
        If ``radius``, ``purity`` or ``cut`` is not valid.
    """
    if np.isnan(cut):
        raise OptionError(f"the score cut is {cut}", remedy="It must be a number.")
    check_detections(detections, score=score, error=error)
    min_fluxes = tuple(min_fluxes) or default_min_fluxes(truth)
    axis = flux_axis(truth, min_fluxes)
    axes = SourceAxes(
        brighter={str(one): one.mask(truth) for one in min_fluxes},
        flux=None if axis is None else axis[2],
        ts=expected_ts_of(truth),
    )
    parts = _regions(detections, truth, degrees(min_latitude, name="min_latitude"))

    matched = evaluate_detections(detections, truth, radius=radius, score=score)
    whole = {name: matched.select(counted=c, selected=s) for name, (c, s) in parts.items()}
    cuts = {name: purity_cut(part, purity=purity) for name, part in whole.items()}
    above = parts["all"][0] & (matched.score >= max(cut, cuts["all"]))
    offsets = measure_offsets(detections[above], truth, radius=radius, error=error)
    tight = _tight_radii(detections, error, radius)
    if tight is not None:
        closer = evaluate_detections(detections, truth, radius=tight, score=score)
        tight = {
            name: rates_entry(closer.select(counted=c, selected=s), cut=cuts[name], rng=rng)
            for name, (c, s) in parts.items()
        }
    return {
        "purity": purity,
        "flux": None if axis is None else {"column": axis[0], "unit": axis[1]},
        "at_cut": rates_entry(whole["all"], cut=cut, rng=rng),
        "at_purity": {
            name: region_entry(part, axes.select(parts[name][1]), purity=purity, rng=rng)
            for name, part in whole.items()
        },
        "tight": tight,
        "offsets": _offsets_entry(offsets, axes.ts, _measured_ts(detections[above])),
    }


def check_detections(detections: QTable, *, score: str = "score", error: str = "pos_err") -> None:
    """Raise an error for detections that `measure_performance` cannot use.

    Raises
    ------
    TableError
        If positions or scores are missing, or a column has the wrong unit or type.
    """
    sky_positions(detections, what="the table of detections")
    scores_of(detections, score)
    for name, unit in {error: "deg", _ts_column(detections): ""}.items():
        fault = f"column {name} of the detections cannot be used"
        remedy = f"It must contain numbers {'in degrees' if unit else 'without a unit'}."
        checked_numbers(detections, name, unit, fault=fault, remedy=remedy)


def check_truth(truth: QTable, min_fluxes: Sequence[MinFlux] = ()) -> None:
    """Raise an error for true sources that `measure_performance` cannot use.

    Raises
    ------
    TableError
        If positions or a requested flux are missing, or a column has the wrong unit or type.
    """
    sky_positions(truth, what="the table of true sources")
    min_fluxes = tuple(min_fluxes) or default_min_fluxes(truth)
    for one in min_fluxes:
        one.mask(truth)
    flux_axis(truth, min_fluxes)
    expected_ts_of(truth)


def _regions(
    detections: QTable, truth: QTable, min_latitude: float
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Which detections and which sources are in each region."""
    here, there = (latitudes(sky_positions(table)) for table in (detections, truth))
    return {
        name: tuple(inside(b) & (b >= min_latitude) for b in (here, there))
        for name, inside in REGIONS.items()
    }


def _tight_radii(detections: QTable, error: str, radius: Quantity) -> Quantity | None:
    """95 % position errors within `_TIGHT` and ``radius``; None if no error is known."""
    r95 = R95_OVER_R68 * numbers(detections, error, u.deg)
    if not np.isfinite(r95).any():
        return None
    widest = max(degrees(radius, name="radius"), _TIGHT)
    return np.clip(np.nan_to_num(r95, nan=_TIGHT), _TIGHT, widest) * u.deg


def _measured_ts(detections: QTable) -> np.ndarray | None:
    name = _ts_column(detections)
    return numbers(detections, name) if name in detections.colnames else None


def _ts_column(detections: QTable) -> str:
    """Name of the column of the TS, whether it is there or not."""
    return column_of(detections, "ts") or "ts"


def _offsets_entry(
    offsets: Offsets, expected: np.ndarray | None, measured: np.ndarray | None
) -> dict[str, Any]:
    """Offsets of all pairs, of significant ones, and a histogram over their errors."""
    ts = None
    if expected is not None:
        ts = expected[offsets.source]
    elif measured is not None:
        ts = measured[offsets.detection]
    heights, _ = np.histogram(np.minimum(offsets.over_error, _OFFSET_EDGES[-1]), _OFFSET_EDGES)
    return {
        "all": _offset_numbers(offsets),
        "ts_above_25": None if ts is None else _offset_numbers(offsets[ts > _SIGNIFICANT]),
        "over_error": {"edges": _OFFSET_EDGES.tolist(), "n": heights.tolist()},
    }


def _offset_numbers(offsets: Offsets) -> dict[str, Any]:
    return {
        "n": len(offsets),
        "median_deg": number(offsets.median.to_value(u.deg)),
        "within_68": number(offsets.within_68),
        "within_95": number(offsets.within_95),
    }
