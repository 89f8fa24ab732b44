"""Detections as markers: the shape shows a match, the size the score, the colour the class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gammafind.catalogue.class_colours import MATCHED, OTHER_COLOUR, UNMATCHED
from gammafind.utils.outside import for_figure
from gammafind.views.rows import Rows
from gammafind.views.style import MISSED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


_OTHER = "other"
_AREAS = (8.0, 90.0)
"""Areas of the smallest and the largest marker, in square points."""
_DOT = 3.0
"""Area of a marker among many others, in square points."""
_MEAN_AREA = 40.0
_TOTAL_AREA = 60_000.0
"""Largest mean and total area: keep markers small if most scores are high or there are many."""


@dataclass(frozen=True)
class _Group:
    label: str
    rows: np.ndarray
    marker: str
    colour: str


def draw_detections(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    rows: Rows,
    *,
    scale: float = 1.0,
    point: float | None = None,
) -> list[Artist]:
    """Mark the detections.

    Parameters
    ----------
    axes : Axes
    x, y : ndarray, shape (n,)
        Pixel coordinates; NaN if a detection is not on the image.
    rows : Rows
        The n detections.
    scale : float
        Factor for the areas of the markers.
    point : float, optional
        Length of a point in pixels: markers are then small enough to stay apart.

    Returns
    -------
    list of Artist
        Handles for the legend.
    """
    areas = scale * marker_areas(rows.score)
    if point is not None:
        areas = apart(areas, x, y, point)
    for group in _groups(rows):
        here = group.rows & np.isfinite(x) & np.isfinite(y)
        axes.scatter(
            x[here], y[here], areas[here],
            marker=group.marker, facecolors="none", edgecolors=group.colour,
            linewidths=0.9, zorder=5,
        )  # fmt: skip
    return _handles(rows)


def draw_missed(axes: Axes, x: np.ndarray, y: np.ndarray, blended: np.ndarray) -> list[Artist]:
    """Mark reference sources that were not found; return the handles for the legend.

    Parameters
    ----------
    axes : Axes
    x, y : ndarray, shape (n,)
        Pixel coordinates.
    blended : ndarray of bool, shape (n,)
        Which are next to a detection that may hold them as well: no cross says that they were
        overlooked.
    """
    kinds = (
        ("in the reference, not found", ~blended, "x"),
        ("in the reference, next to a detection", blended, "+"),
    )
    return [
        axes.scatter(
            x[here], y[here], 20, marker=marker, color=MISSED, linewidths=0.9, zorder=4,
            label=f"{label} ({np.count_nonzero(here)})",
        )
        for label, here, marker in kinds
        if here.any()
    ]  # fmt: skip


def apart(areas: np.ndarray, x: np.ndarray, y: np.ndarray, point: float) -> np.ndarray:
    """Areas at which a marker and its nearest neighbour do not overlap, unless they are dots.

    Parameters
    ----------
    areas : ndarray, shape (n,)
        In square points.
    x, y : ndarray, shape (n,)
        Positions on the axes; NaN where there is no marker.
    point : float
        Length of a point in the units of the positions.
    """
    from scipy.spatial import cKDTree

    shown = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    smaller = areas.copy()
    if len(shown) > 1:
        places = np.column_stack([x[shown], y[shown]]) / point
        distance, nearest = (each[:, 1] for each in cKDTree(places).query(places, k=2))
        widths = np.sqrt(areas[shown])
        share = np.minimum(1, 2 * distance / (widths + widths[nearest]))
        smaller[shown] = np.maximum(areas[shown] * share**2, _DOT)
    return smaller


def marker_areas(score: np.ndarray) -> np.ndarray:
    """Areas in square points, 8 to 90 at most, shape (n,); logarithmic if scores span decades.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Scores of the localiser; the smallest size if not finite.
    """
    known = score[np.isfinite(score)]
    if len(known) == 0:
        return np.full(len(score), _AREAS[0])
    smallest, largest = _AREAS
    mean = max(min(_MEAN_AREA, _TOTAL_AREA / len(known)), 1.5 * smallest)
    share = (_relative(known, known) ** 1.5).mean()
    span = min(largest - smallest, (mean - smallest) / share) if share else 0.0
    return smallest + span * _relative(score, known) ** 1.5


def size_handles(score: np.ndarray, *, scale: float = 1.0) -> list[Artist]:
    """Handles of a legend of the sizes, with round numbers; none if all are equal."""
    known = score[np.isfinite(score)]
    if len(known) < 2 or known.max() == known.min():
        return []
    low, high = np.quantile(known, [0, 0.995])
    levels = np.geomspace(low, high, 3) if _spans_decades(known) else np.linspace(low, high, 3)
    digits = 1 if high > 2 * low else 1 + int(np.ceil(np.log10(high / (high - low))))
    return [
        _handle(
            f"{float(f'{level:.{digits}g}'):g}", "o", "black",
            float(np.sqrt(scale * marker_areas(np.append(known, level))[-1])),
        )
        for level in levels
    ]  # fmt: skip


def _relative(score: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Relative score: 0 for the lowest, 1 for the 99.5 % quantile of the known ones."""
    low, high = np.quantile(known, [0, 0.995])
    if high <= low:
        return np.zeros(np.shape(score))
    filled = np.clip(np.nan_to_num(score, nan=low), low, high)
    if _spans_decades(known):
        return np.log(filled / low) / np.log(high / low)
    return (filled - low) / (high - low)


def _spans_decades(known: np.ndarray) -> bool:
    return known.min() > 0 and np.quantile(known, 0.995) > 50 * np.quantile(known, 0.05)


def _groups(rows: Rows) -> list[_Group]:
    """Detections with the same marker: by match and, if there are several, by class."""
    kinds, classes = _kinds(rows), _classes(rows)
    if not classes:
        return [kind for kind in kinds if kind.rows.any()]
    groups = [
        _Group(f"{one.label}, {kind.label}", one.rows & kind.rows, kind.marker, one.colour)
        for one in classes
        for kind in kinds
    ]
    return [group for group in groups if group.rows.any()]


def _classes(rows: Rows) -> list[_Group]:
    """Classes with their own colour, then all others together; empty without such colours."""
    if not rows.class_colours:
        return []
    own = [
        _Group(name, rows.class_label == name, "o", colour)
        for name, colour in rows.class_colours.items()
    ]
    left = ~np.isin(rows.class_label, list(rows.class_colours))
    names = set(rows.class_label[left].tolist())
    label = names.pop() if len(names) == 1 and "" not in names else _OTHER
    return [group for group in (*own, _Group(label, left, "o", OTHER_COLOUR)) if group.rows.any()]


def _kinds(rows: Rows) -> list[_Group]:
    if rows.matched is None:
        return [_Group("detections", np.ones(len(rows), dtype=bool), "o", MATCHED)]
    return [
        _Group("matched", rows.matched, "o", MATCHED),
        _Group("unmatched", ~rows.matched, "D", UNMATCHED),
    ]


def _handles(rows: Rows) -> list[Artist]:
    """Colours of the classes and shapes of the kinds; combined if there are no classes."""
    kinds, classes = _kinds(rows), _classes(rows)
    if classes:
        kinds = [replace(kind, colour="black") for kind in kinds if rows.matched is not None]
    return [
        _handle(f"{group.label} ({np.count_nonzero(group.rows)})", group.marker, group.colour)
        for group in (*classes, *kinds)
        if group.rows.any()
    ]


def _handle(label: str, marker: str, colour: str, size: float = 6.0) -> Artist:
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="none", marker=marker, markersize=size, fillstyle="none", color=colour,
        label=for_figure(label),
    )  # fmt: skip
