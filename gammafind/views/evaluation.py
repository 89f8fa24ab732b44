"""Figures of an evaluation, drawn from the numbers in its JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gammafind.catalogue.class_colours import CLASS_COLOURS, MATCHED
from gammafind.utils.outside import for_figure
from gammafind.views.style import add_rayleigh, png, small_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_MARKERS = "osD"
_LEAST_IN_BIN = 5
"""Smallest number in a bin that is drawn: the intervals of smaller bins are too wide."""
_LEAST_TS = 0.1
"""Lower end of the axis of expected TS: fainter sources are never found."""
_SPREAD = 1.06
"""Factor between the points of neighbouring regions in one bin: keeps their bars apart."""


def write_figures(directory: str | PathLike, metrics: Mapping[str, Any]) -> list[Path]:
    """Draw all figures that the numbers allow, into an existing directory.

    Parameters
    ----------
    directory : path-like
    metrics : mapping
        From `gammafind.evaluation.performance.measure_performance`.

    Returns
    -------
    list of Path
    """
    figures = {
        "completeness_flux.png": completeness_figure(metrics, "by_flux"),
        "completeness_ts.png": completeness_figure(metrics, "by_ts"),
        "purity_score.png": score_figure(metrics),
        "completeness_purity.png": curve_figure(metrics),
        "offsets.png": offset_figure(metrics),
    }
    written = []
    for name, figure in figures.items():
        if figure is not None:
            written.append(Path(directory) / name)
            written[-1].write_bytes(png(figure))
    return written


def completeness_figure(metrics: Mapping[str, Any], axis: str) -> Figure | None:
    """Completeness at the chosen purity against flux or expected TS, for each region.

    Parameters
    ----------
    metrics : mapping
    axis : {"by_flux", "by_ts"}

    Returns
    -------
    Figure or None
        None if the truth does not have it, or no bin has five sources.
    """
    regions = metrics["at_purity"]
    if not _drawn(regions["all"].get(axis)):
        return None
    of_ts = axis == "by_ts"
    figure, axes = small_figure()
    with styled():
        for number, (name, region) in enumerate(regions.items()):
            label = _with_ts50(name, region) if of_ts else name
            _points(axes, region[axis], "completeness", number, label, spread=_SPREAD)
        axes.axhline(0.5, color="black", linestyle=":", linewidth=0.8)
        axes.set(xscale="log", ylim=(-0.03, 1.05))
        axes.set_ylabel(f"Completeness at purity {metrics['purity']:g}")
        axes.set_xlabel("Expected TS" if of_ts else _flux_label(metrics["flux"]))
        axes.legend(loc="lower right", title="TS50" if of_ts else None, title_fontsize=8)
        if of_ts:
            axes.set_xlim(left=max(axes.get_xlim()[0], _LEAST_TS))
    return figure


def score_figure(metrics: Mapping[str, Any]) -> Figure | None:
    """Purity of the detections in bins of their score; None if no bin has five."""
    regions = metrics["at_purity"]
    scores = regions["all"]["by_score"]
    if not _drawn(scores):
        return None
    figure, axes = small_figure()
    with styled():
        for number, (name, region) in enumerate(regions.items()):
            _points(axes, region["by_score"], "purity", number, name)
        log = scores["low"][0] > 0 and scores["high"][-1] > 20 * scores["low"][0]
        axes.set(xscale="log" if log else "linear", ylim=(-0.03, 1.05))
        axes.set(xlabel="Score", ylabel="Purity in the bin")
        axes.legend(loc="lower right")
    return figure


def curve_figure(metrics: Mapping[str, Any]) -> Figure | None:
    """Completeness against purity at any score cut, for each region; None without detections."""
    regions = {name: region["curve"] for name, region in metrics["at_purity"].items()}
    if not regions["all"]["cut"]:
        return None
    figure, axes = small_figure()
    with styled():
        for number, (name, curve) in enumerate(regions.items()):
            purity, completeness = (
                np.array(curve[rate], dtype=float) for rate in ("purity", "completeness")
            )
            colour = CLASS_COLOURS[number]
            axes.plot(purity, completeness, color=colour, label=for_figure(name))
            region = metrics["at_purity"][name]
            if region["cut"] is not None and region["completeness"] is not None:
                point = region["purity"], region["completeness"]
                axes.plot(*point, _MARKERS[number], markersize=4, color=colour)
        axes.axvline(metrics["purity"], color="black", linestyle=":", linewidth=0.8)
        axes.set(xlabel="Purity", ylabel="Completeness", ylim=(-0.03, 1.05))
        axes.legend(loc="upper left")
    return figure


def offset_figure(metrics: Mapping[str, Any]) -> Figure | None:
    """Normalised offsets with the Rayleigh distribution; None if no error is known."""
    offsets = metrics["offsets"]
    edges, heights = (np.array(offsets["over_error"][name], float) for name in ("edges", "n"))
    if not heights.sum():
        return None
    figure, axes = small_figure()
    with styled():
        density = heights / heights.sum() / np.diff(edges)
        label = f"{heights.sum():.0f} pairs"
        axes.stairs(density, edges, fill=True, color=MATCHED, alpha=0.75, label=label)
        add_rayleigh(axes, edges[-1])
        axes.set(xlim=(0, edges[-1]))
        inside = [f"{100 * offsets['all'][name]:.0f} %" for name in ("within_68", "within_95")]
        title = f"within r68, r95: {', '.join(inside)}"
        axes.legend(loc="upper right", title=title, title_fontsize=8)
    return figure


def _drawn(bins: Mapping[str, Any] | None) -> bool:
    """Whether a bin has enough entries to be drawn."""
    return bins is not None and max(bins["n"], default=0) >= _LEAST_IN_BIN


def _points(
    axes: Axes,
    bins: Mapping[str, Any],
    rate: str,
    number: int,
    label: str,
    *,
    spread: float = 1.0,
) -> None:
    """Shares in bins with their intervals, in the colour and with the marker of a region."""
    middle, n, value = (np.array(bins[name], dtype=float) for name in ("middle", "n", rate))
    ends = np.array(bins[f"{rate}_68"], dtype=float).reshape(-1, 2).T
    kept = (n >= _LEAST_IN_BIN) & np.isfinite(value)
    errors = np.maximum([value - ends[0], ends[1] - value], 0)
    axes.errorbar(
        middle[kept] * spread ** (number - 1),
        value[kept],
        np.nan_to_num(errors[:, kept]),
        fmt=_MARKERS[number],
        markersize=3.2,
        linewidth=0.9,
        color=CLASS_COLOURS[number],
        label=for_figure(label),
    )


def _with_ts50(name: str, region: Mapping[str, Any]) -> str:
    return f"{name}: -" if region["ts50"] is None else f"{name}: {region['ts50']:.1f}"


def _flux_label(flux: Mapping[str, str]) -> str:
    """Name of the column and its unit in the notation of matplotlib."""
    import astropy.units as u

    name = "Energy flux" if flux["column"] == "energy_flux" else flux["column"].replace("_", " ")
    unit = u.Unit(flux["unit"])
    return name if unit == u.one else f"{name} [{unit.to_string('latex_inline')}]"
