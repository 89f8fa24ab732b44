"""Detections as markers: shape says matched or not, size the strength, colour the class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gammafind.report.rows import Rows
from gammafind.report.style import CLASS_COLOURS, MATCHED, MISSED, UNMATCHED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["draw_detections", "draw_missed", "marker_areas", "size_handles"]

_OTHER = "other"


@dataclass(frozen=True)
class _Group:
    label: str
    rows: np.ndarray
    marker: str
    colour: str


def draw_detections(
    axes: Axes, x: np.ndarray, y: np.ndarray, rows: Rows, *, scale: float = 1.0
) -> list[Artist]:
    """Mark the detections.

    Parameters
    ----------
    axes : Axes
    x, y : ndarray, shape (n,)
        Pixel coordinates; NaN where a detection is not on the image.
    rows : Rows
        The n detections.
    scale : float
        Factor on the areas of the markers.

    Returns
    -------
    list of Artist
        Handles for the legend, one for each group that has members.
    """
    from matplotlib.lines import Line2D

    areas = scale * marker_areas(rows.strength)
    handles = []
    for group in _groups(rows):
        here = group.rows & np.isfinite(x) & np.isfinite(y)
        axes.scatter(
            x[here], y[here], areas[here],
            marker=group.marker, facecolors="none", edgecolors=group.colour,
            linewidths=0.9, zorder=5,
        )  # fmt: skip
        handles.append(
            Line2D(
                [], [], linestyle="none", marker=group.marker, markersize=6, fillstyle="none",
                color=group.colour, label=f"{group.label} ({np.count_nonzero(group.rows)})",
            )
        )  # fmt: skip
    return handles


def draw_missed(axes: Axes, x: np.ndarray, y: np.ndarray) -> list[Artist]:
    """Mark reference sources that were not found; return the handles for the legend."""
    if len(x) == 0:
        return []
    label = f"in the reference, not found ({len(x)})"
    return [axes.scatter(x, y, 22, marker="x", color=MISSED, linewidths=0.9, zorder=4, label=label)]


def marker_areas(strength: np.ndarray) -> np.ndarray:
    """Areas in square points, from 8 to 90, shape (n,); logarithmic where strengths span decades.

    Parameters
    ----------
    strength : ndarray, shape (n,)
        Test statistic or score; the faintest size where it is not finite.
    """
    known = strength[np.isfinite(strength)]
    if len(known) == 0:
        return np.full(len(strength), 8.0)
    return 8.0 + 82.0 * _relative(strength, known) ** 1.5


def size_handles(strength: np.ndarray, *, scale: float = 1.0) -> list[Artist]:
    """Handles of a legend of the sizes, with round numbers; none where all are alike."""
    from matplotlib.lines import Line2D

    known = strength[np.isfinite(strength)]
    if len(known) < 2 or known.max() == known.min():
        return []
    low, high = np.quantile(known, [0, 0.995])
    levels = np.geomspace(low, high, 3) if _spans_decades(known) else np.linspace(low, high, 3)
    return [
        Line2D(
            [], [], linestyle="none", marker="o", fillstyle="none", color="black",
            markersize=float(np.sqrt(scale * (8 + 82 * _relative(level, known) ** 1.5))),
            label=f"{float(f'{level:.1g}'):g}",
        )
        for level in levels
    ]  # fmt: skip


def _relative(strength: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Strength from 0 at the faintest to 1 at the 99.5 % quantile of the known ones."""
    low, high = np.quantile(known, [0, 0.995])
    if high <= low:
        return np.zeros(np.shape(strength))
    filled = np.clip(np.nan_to_num(strength, nan=low), low, high)
    if _spans_decades(known):
        return np.log(filled / low) / np.log(high / low)
    return (filled - low) / (high - low)


def _spans_decades(known: np.ndarray) -> bool:
    return known.min() > 0 and np.quantile(known, 0.995) > 20 * known.min()


def _groups(rows: Rows) -> list[_Group]:
    """Detections that look alike: by class where there are several, and by match."""
    kinds = _kinds(rows)
    classes = [name for name, _ in Counter(rows.class_label.tolist()).most_common() if name]
    if len(classes) < 2:
        groups = [_Group(label, found, marker, colour) for label, found, marker, colour in kinds]
        return [group for group in groups if group.rows.any()]
    shown = classes if len(classes) <= len(CLASS_COLOURS) else classes[: len(CLASS_COLOURS) - 1]
    label = np.where(np.isin(rows.class_label, shown), rows.class_label, _OTHER)
    colours = dict(zip([*shown, _OTHER], CLASS_COLOURS, strict=False))
    groups = [
        _Group(_joined(name, kind, len(kinds)), found & (label == name), marker, colours[name])
        for name in colours
        for kind, found, marker, _ in kinds
    ]
    return [group for group in groups if group.rows.any()]


def _kinds(rows: Rows) -> list[tuple[str, np.ndarray, str, str]]:
    if rows.matched is None:
        return [("detections", np.ones(len(rows), dtype=bool), "o", MATCHED)]
    return [
        ("matched", rows.matched, "o", MATCHED),
        ("unmatched", ~rows.matched, "D", UNMATCHED),
    ]


def _joined(name: str, kind: str, n_kinds: int) -> str:
    return f"{name}, {kind}" if n_kinds > 1 else name
