"""Small figures of a catalogue: scores, completeness, fluxes, position offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from astropy.table import QTable
from astropy.units import UnitBase, UnrecognizedUnit

from gammafind.catalogue.class_colours import MATCHED, UNMATCHED
from gammafind.catalogue.columns import column_of, fluxes, numbers, numbers_of
from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.evaluation.numbers import Summary
from gammafind.units import FLUX
from gammafind.utils.outside import for_figure
from gammafind.views.rows import Rows
from gammafind.views.style import (
    add_rayleigh,
    capitalised,
    small_figure,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_SIGMA_OF_R95 = 1 / np.sqrt(2 * np.log(20))
"""Standard deviation per coordinate of a two-dimensional Gaussian, divided by its 95 % radius."""
_LEAST_FLUXES = 2
"""Different fluxes needed for a plot."""
_COMMON = "Flux1000"
"""Flux of the same energies in all LAT catalogues, 1-100 GeV."""
_ROOM = 10.0
"""Ratio of the upper end of the histogram to its highest bar: leaves room for the legend."""


def score_figure(rows: Rows, summary: Summary) -> Figure:
    """Histogram of the scores, matched and unmatched stacked."""
    figure, axes = small_figure()
    with styled():
        known = np.isfinite(rows.score)
        groups = _stacked(rows, known)
        values = rows.score[known]
        log = len(values) > 0 and values.min() > 0 and values.max() > 20 * values.min()
        bars = axes.hist(
            [rows.score[group] for _, group, _ in groups],
            bins=_bins(values, log=log),
            stacked=True,
            color=[colour for _, _, colour in groups],
            label=[f"{label} ({np.count_nonzero(group)})" for label, group, _ in groups],
        )[0]
        axes.set(xlabel=for_figure(capitalised(summary.score_name)), ylabel="Detections per bin")
        if log:
            axes.set_xscale("log")
        if len(values):
            axes.set(yscale="log", ylim=(0.7, _ROOM * np.max(bars)))
        if summary.cut is not None:
            axes.axvline(summary.cut, color="black", linestyle="--", linewidth=0.9)
            axes.annotate(
                f" cut {summary.cut:g}", (summary.cut, 0.96), fontsize=8, va="top", rotation=90,
                ha="right", xycoords=axes.get_xaxis_transform(),
            )  # fmt: skip
        axes.legend(loc="upper right")
    return figure


def completeness_figure(reference: QTable, summary: Summary) -> Figure | None:
    """Fraction of the reference sources that were found, in bins of their flux.

    The bars are Jeffreys intervals of 68 %. None if the reference has no fluxes.
    """
    from astropy.stats import binom_conf_interval

    measured = fluxes(reference)
    flux = measured.value
    good = summary.footprint & np.isfinite(flux) & (flux > 0)
    if len(np.unique(flux[good])) < _LEAST_FLUXES:
        return None
    found = np.zeros(len(reference), dtype=bool)
    found[summary.matches.b] = True
    edges = _bins(flux[good], log=True, step=0.2)
    total, _ = np.histogram(flux[good], edges)
    part, _ = np.histogram(flux[good & found], edges)
    filled = total > 0
    centre = np.sqrt(edges[1:] * edges[:-1])[filled]
    fraction = (part / np.maximum(total, 1))[filled]
    low, high = binom_conf_interval(part[filled], total[filled], interval="jeffreys")
    figure, axes = small_figure()
    with styled():
        errors = np.maximum([fraction - low, high - fraction], 0)
        axes.errorbar(centre, fraction, errors, fmt="o", markersize=3.5, color=MATCHED, capsize=0)
        if summary.bright is not None and measured.unit.is_equivalent(summary.bright.unit):
            axes.axvline(summary.bright.value, color="black", linestyle="--", linewidth=0.9)
        axes.set(xscale="log", ylim=(-0.03, 1.05), ylabel="Completeness")
        axes.set_xlabel(f"Flux in the reference [{_label(measured.unit)}]")
    return figure


def flux_figure(catalogue: QTable, rows: Rows, summary: Summary) -> Figure | None:
    """Flux of each detection against its score; None if no flux was measured."""
    measured = fluxes(catalogue)
    flux = measured.value
    good = np.isfinite(flux) & (flux > 0) & (rows.score > 0)
    if not good.any():
        return None
    figure, axes = small_figure()
    with styled():
        for label, group, colour in _stacked(rows, good):
            axes.plot(
                flux[group], rows.score[group], ".", markersize=2.5, color=colour, label=label
            )
        # Many probabilities are near 1: a logarithmic axis would hide them.
        scale = "linear" if rows.score[good].max() <= 1 else "log"
        axes.set(xscale="log", yscale=scale, ylabel=for_figure(capitalised(summary.score_name)))
        axes.set_xlabel(f"Flux [{_label(measured.unit)}]")
        if summary.cut is not None:
            axes.axhline(summary.cut, color="black", linestyle="--", linewidth=0.9)
        axes.legend(loc="upper left" if scale == "log" else "lower right", markerscale=3)
    return figure


def counterpart_flux_figure(
    catalogue: QTable, reference: QTable, summary: Summary
) -> Figure | None:
    """Flux of each matched source against that of its counterpart.

    Of 1-100 GeV where both tables have it; None where units differ, or fewer than two are known.
    """
    here, there = fluxes(catalogue), fluxes(reference)
    own, other = (column_of(table, "flux") for table in (catalogue, reference))
    if _COMMON in catalogue.colnames and _COMMON in reference.colnames:
        own = other = _COMMON
        here, there = (numbers(table, _COMMON, FLUX) * FLUX for table in (catalogue, reference))
    if here.unit != there.unit:
        return None
    x, y = there.value[summary.matches.b], here.value[summary.matches.a]
    good = (x > 0) & (y > 0) & np.isfinite(x) & np.isfinite(y)
    if np.sum(good) < _LEAST_FLUXES:
        return None
    x, y = x[good], y[good]
    figure, axes = small_figure()
    with styled():
        axes.plot(x, y, ".", markersize=2.5, color=MATCHED, label=f"{len(x)} matches")
        ends = [min(x.min(), y.min()), max(x.max(), y.max())]
        axes.plot(ends, ends, color="black", linewidth=0.9)
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel(f"{for_figure(other)} of the reference [{_label(there.unit)}]")
        axes.set_ylabel(f"{for_figure(own)} [{_label(here.unit)}]")
        axes.legend(loc="upper left", title=f"median ratio {np.median(y / x):.2f}", markerscale=3)
    return figure


def offset_figure(catalogue: QTable, reference: QTable, summary: Summary) -> Figure | None:
    """Offsets in units of their errors, with the expected Rayleigh distribution.

    None if there is no match with a position error.
    """
    offsets = normalised_offsets(catalogue, reference, summary)
    if len(offsets) == 0:
        return None
    figure, axes = small_figure()
    with styled():
        edges = np.arange(0, 6.01, 0.25)
        axes.hist(np.minimum(offsets, 5.99), edges, density=True, color=MATCHED, alpha=0.75,
                  label=f"{len(offsets)} matches")  # fmt: skip
        add_rayleigh(axes, 6)
        inside = np.mean(offsets <= 1 / _SIGMA_OF_R95)
        axes.axvline(1 / _SIGMA_OF_R95, color="black", linestyle="--", linewidth=0.9)
        axes.legend(loc="upper right", title=f"{100 * inside:.0f} % within the 95 % radius")
    return figure


def normalised_offsets(catalogue: QTable, reference: QTable, summary: Summary) -> np.ndarray:
    """Offset of each match divided by its standard error in one coordinate, shape (k,).

    The error combines both position errors, as far as the reference has one. For Gaussian errors
    the result follows a Rayleigh distribution. Matches without an error are ignored.
    """
    matches = summary.matches
    own = numbers_of(catalogue, "r95", "deg")
    if not np.any(np.isfinite(own)):
        own = R95_OVER_R68 * numbers_of(catalogue, "r68", "deg")
    other = np.nan_to_num(numbers_of(reference, "r95", "deg"))
    error = np.hypot(own[matches.a], other[matches.b]) * _SIGMA_OF_R95
    known = np.isfinite(error) & (error > 0)
    return matches.separation.to_value("deg")[known] / error[known]


def _label(unit: UnitBase) -> str:
    """Unit of a flux as figures show it."""
    if unit == FLUX:
        return "cm$^{-2}$ s$^{-1}$"
    known = not isinstance(unit, UnrecognizedUnit)
    return unit.to_string("latex_inline") if known else for_figure(unit)


def _stacked(rows: Rows, chosen: np.ndarray) -> list[tuple[str, np.ndarray, str]]:
    """Label, rows and colour of matched and unmatched detections."""
    if rows.matched is None:
        return [("detections", chosen, MATCHED)]
    return [
        ("matched", chosen & rows.matched, MATCHED),
        ("unmatched", chosen & ~rows.matched, UNMATCHED),
    ]


_LARGEST = 1e300
"""Of the edges of bins: the width of larger ones overflows."""


def _bins(values: np.ndarray, *, log: bool, step: float = 0.1) -> np.ndarray:
    """Edges that include all values; logarithmic bins are ``step`` decades wide."""
    if len(values) == 0:
        return np.linspace(0, 1, 11)
    if log:
        low = np.floor(np.log10(values.min()) / step)
        high = max(np.ceil(np.log10(values.max()) / step), low + 1)
        return 10 ** (step * np.arange(low, high + 1.5))
    low, high = np.clip([values.min(), values.max()], -_LARGEST, _LARGEST)
    return np.linspace(low, high if high > low else low + 1, 31)
