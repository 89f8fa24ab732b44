"""One evaluation in numbers, ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.evaluation.intervals import bootstrap_interval
from gammafind.evaluation.metrics import (
    Evaluation,
    Rates,
    completeness_at_purity,
    evaluate_detections,
    rates,
)
from gammafind.evaluation.offsets import measure_offsets

__all__ = ["summarise"]


def summarise(
    detections: QTable,
    truth: QTable,
    *,
    rng: np.random.Generator,
    radius: Quantity = 0.5 * u.deg,
    selected: np.ndarray | None = None,
    counted: np.ndarray | None = None,
    score: str = "score",
    error: str = "pos_err",
    cut: float = -np.inf,
    purity: float = 0.90,
) -> dict[str, Any]:
    """Completeness, purity, counts and offsets of a set of detections.

    Parameters
    ----------
    detections, truth : QTable
    rng : numpy.random.Generator
        Draws the bootstrap.
    radius : Quantity
    selected, counted : ndarray of bool, optional
    score : str
        These, and the tables, as for `gammafind.evaluation.metrics.evaluate_detections`.
    error : str
        Column of the 68 % position error.
    cut : float
        Score cut of the entry ``at_cut`` and of the offsets.
    purity : float
        Purity of the entry ``at_purity``.

    Returns
    -------
    dict
        ``at_cut`` and ``at_purity``: rates with 68 % bootstrap intervals. ``offsets``: median
        in degrees and fractions within the position errors, of all detections above the cut.
        What is not a number is None.
    """
    evaluation = evaluate_detections(
        detections, truth, radius=radius, selected=selected, counted=counted, score=score
    )
    above = np.asarray(detections[score], dtype=float) >= cut
    if np.ndim(radius):
        radius = radius[above]
    offsets = measure_offsets(detections[above], truth, radius=radius, error=error)
    return {
        "at_cut": _entry(evaluation, lambda e: rates(e, cut=cut), rng),
        "at_purity": _entry(evaluation, lambda e: completeness_at_purity(e, purity=purity), rng),
        "offsets": {
            "n": len(offsets.separation),
            "median_deg": _number(offsets.median.to_value(u.deg)),
            "within_68": _number(offsets.within_68),
            "within_95": _number(offsets.within_95),
        },
    }


def _entry(
    evaluation: Evaluation, measure: Callable[[Evaluation], Rates], rng: np.random.Generator
) -> dict[str, Any]:
    """Rates, and the bootstrap intervals of completeness and purity."""
    found = measure(evaluation)
    entry: dict[str, Any] = {
        "cut": _number(found.cut),
        "n_detections": found.n_detections,
        "n_matched": found.n_matched,
        "n_sources": found.n_sources,
        "n_found": found.n_found,
    }
    for name in ("completeness", "purity"):
        entry[name] = _number(getattr(found, name))
        interval = bootstrap_interval(
            evaluation, lambda e, name=name: getattr(measure(e), name), rng=rng
        )
        entry[f"{name}_68"] = [_number(value) for value in interval]
    return entry


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
