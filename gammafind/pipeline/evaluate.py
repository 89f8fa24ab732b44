"""How well a catalogue agrees with the true sources."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import column_of
from gammafind.evaluation.brightness import MinFlux
from gammafind.evaluation.performance import check_detections, check_truth, measure_performance
from gammafind.evaluation.searched import region_of, searched_sources
from gammafind.pipeline.inputs import Table, table_of
from gammafind.pipeline.result import Result
from gammafind.sky.searched import sky_share
from gammafind.units import degrees, parse_quantity
from gammafind.utils.checks import require
from gammafind.utils.files import of_file

_log = logging.getLogger("gammafind")

_RADIUS = "0.3 deg"
_UNKNOWN_REGION = (
    "the catalogue does not say which part of the sky was searched: all true sources count"
)


def evaluate(
    catalogue: Table | Result,
    truth: Table,
    *,
    radius: Quantity | None = None,
    min_latitude: Quantity = 0 * u.deg,
    min_score: float | None = None,
    purity: float = 0.90,
    min_fluxes: Sequence[MinFlux] = (),
) -> dict[str, Any]:
    """Measure completeness, purity and position offsets of a catalogue.

    Parameters
    ----------
    catalogue : Result, str, path-like or QTable
        What was found.
    truth : str, path-like or QTable
        The true sources: the name of an embedded catalogue, a file, or a table with positions.
    radius : Quantity, optional
        Largest separation of a pair, an angle; by default that with which the catalogue was made,
        or 0.3 deg.
    min_latitude : Quantity
        Detections and sources nearer to the Galactic plane do not count; 0 to 90 deg.
    min_score : float, optional
        Lowest score that counts in the entry ``at_cut`` and for offsets; all by default.
    purity : float
        Purity at which completeness is measured, between 0 and 1.
    min_fluxes : sequence of MinFlux
        Selections of bright sources, whose completeness is measured too.

    Returns
    -------
    dict
        Numbers as JSON holds them, None where there is no value: ``radius, min_latitude``, the
        entries of `gammafind.evaluation.performance.measure_performance`, and ``searched``: the
        share of the sky that was searched, as the metadata of the catalogue say, and the numbers
        of true sources that count and that do not, since they are elsewhere. It is None where the
        metadata do not say it; then all true sources count.

    Raises
    ------
    OptionError
        If a value is out of range.
    InputFileError, TableError
        If a file cannot be used, or a table lacks a column.

    Examples
    --------
    >>> import gammafind
    >>> result = gammafind.detect(gammafind.demo_sky("M 87"), localiser="likelihood")
    >>> metrics = gammafind.evaluate(result, "4fgl-dr2")
    >>> metrics["at_cut"]["purity"]
    1.0
    """
    on_sphere = 0 <= degrees(min_latitude, name="min_latitude") < 90
    require("min_latitude", min_latitude, on_sphere, "Accepted is 0 to 90 deg.")
    if radius is not None:
        check_radius(radius)
    if min_score is not None:
        require("min_score", min_score, True, "It must be a finite number.")
    found = catalogue.catalogue if isinstance(catalogue, Result) else table_of(catalogue)
    there = table_of(truth)
    columns = {
        "score": column_of(found, "score") or "score",
        "error": column_of(found, "r68") or "pos_err",
    }
    with _named(catalogue):
        check_detections(found, **columns)
    with _named(truth):
        check_truth(there, min_fluxes)
    within = match_radius(radius, found)
    counted = searched_sources(found, there, radius=within)
    if counted is None:
        _log.info("%s", _UNKNOWN_REGION)
    else:
        there = there[counted]
    metrics = measure_performance(
        found,
        there,
        rng=np.random.default_rng(0),
        radius=within,
        min_latitude=min_latitude,
        cut=-np.inf if min_score is None else min_score,
        purity=purity,
        min_fluxes=min_fluxes,
        **columns,
    )
    return {
        "radius": str(within),
        "min_latitude": str(min_latitude),
        "searched": _searched(found, counted),
        **metrics,
    }


def _searched(found: QTable, counted: np.ndarray | None) -> dict[str, Any] | None:
    """Region that was searched, in numbers; None where it is not known."""
    if counted is None:
        return None
    return {
        "sky_share": sky_share(region_of(found)),
        "n_sources": int(counted.sum()),
        "n_outside": int((~counted).sum()),
    }


def match_radius(radius: Quantity | None, catalogue: QTable) -> Quantity:
    """Match radius as given, or that with which the catalogue was made, or 0.3 deg."""
    if radius is None:
        text = str(catalogue.meta.get("match_radius", _RADIUS))
        radius = parse_quantity(text, "deg", name="the match radius of the catalogue")
    check_radius(radius)
    return radius


def check_radius(radius: Quantity) -> None:
    """Refuse a match radius that is no angle above 0 and up to 180 deg."""
    on_sphere = 0 < degrees(radius, name="the match radius") <= 180
    require("the match radius", radius, on_sphere, "Accepted is an angle up to 180 deg.")


def _named(source: object) -> AbstractContextManager[None]:
    """Let errors name the file of a table that comes from one."""
    return of_file(source) if isinstance(source, str | PathLike) else nullcontext()
