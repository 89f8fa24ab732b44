"""Labels next to markers, without overlaps of labels or markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gammafind.utils.outside import for_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_DIRECTIONS = np.array(
    [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)], dtype=float
)
_SIZE = 7
"""Of the letters, in points."""
_GAPS = (2.0, 9.0, 18.0)
"""Distances of a label from its marker, in points; labels at larger distances get a line."""


def place_labels(
    axes: Axes, x: np.ndarray, y: np.ndarray, texts: np.ndarray, areas: np.ndarray
) -> int:
    """Write labels next to markers; omit labels without a free place.

    Parameters
    ----------
    axes : Axes
        Axes of a figure with final size and limits.
    x, y : ndarray, shape (n,)
        Data coordinates of the markers, the most important first.
    texts : ndarray of str, shape (n,)
    areas : ndarray, shape (n,)
        Areas of the markers in square points.

    Returns
    -------
    int
        Number of labels written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patheffects import withStroke

    if len(texts) == 0:
        return 0
    figure = axes.figure
    point = figure.dpi / 72
    renderer = FigureCanvasAgg(figure).get_renderer()
    anchors = axes.transData.transform(np.column_stack([x, y]))
    radii = point * np.sqrt(areas) / 2
    glow = [withStroke(linewidth=2.0, foreground="white")]
    artists = [
        axes.text(
            0, 0, text, fontsize=_SIZE, transform=None, va="bottom", path_effects=glow, zorder=8
        )
        for text in map(for_figure, texts)
    ]
    sizes = np.array([_size(artist, renderer) for artist in artists])
    frame = axes.get_window_extent(renderer)
    centres = place_boxes(anchors, radii, sizes, frame.extents, gaps=point * np.array(_GAPS))
    for artist, place, anchor, (centre, is_far) in zip(
        artists, np.column_stack([x, y]), anchors, centres, strict=True
    ):
        artist.remove()
        if centre is None:
            continue
        # In points from the marker: a file or a notebook may have more or fewer dots per inch.
        axes.annotate(
            artist.get_text(), place, (centre - anchor) / point, textcoords="offset points",
            fontsize=_SIZE, ha="center", va="center", path_effects=glow, zorder=8,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0}
            if is_far
            else None,
        )  # fmt: skip
    return sum(centre is not None for centre, _ in centres)


def place_boxes(
    anchors: np.ndarray,
    radii: np.ndarray,
    sizes: np.ndarray,
    frame: np.ndarray,
    *,
    gaps: np.ndarray,
) -> list[tuple[np.ndarray | None, bool]]:
    """Find places for boxes next to discs, in the given order.

    Parameters
    ----------
    anchors : ndarray, shape (n, 2)
        Centres of the discs.
    radii : ndarray, shape (n,)
        Radii of the discs.
    sizes : ndarray, shape (n, 2)
        Widths and heights of the boxes.
    frame : ndarray, shape (4,)
        ``left, bottom, right, top`` of the allowed area.
    gaps : ndarray
        Distances between disc and box to try, nearest first.

    Returns
    -------
    list of (ndarray or None, bool)
        Centre of each box, None if there is no free place; and whether it is not at the nearest
        distance.
    """
    discs = np.column_stack([anchors - radii[:, None], anchors + radii[:, None]])
    placed: list[np.ndarray] = []
    centres: list[tuple[np.ndarray | None, bool]] = []
    for index, (anchor, radius, size) in enumerate(zip(anchors, radii, sizes, strict=True)):
        taken = np.array([*np.delete(discs, index, axis=0), *placed]).reshape(-1, 4)
        found = None
        for gap, direction in ((g, d) for g in gaps for d in _DIRECTIONS):
            reach = (radius + gap) / np.hypot(*direction)
            centre = anchor + direction * (reach + size / 2)
            box = np.concatenate([centre - size / 2, centre + size / 2])
            if _within(box, frame) and not np.any(_overlap(box, taken)):
                found = centre, gap > gaps[0]
                placed.append(box)
                break
        centres.append(found or (None, False))
    return centres


def _size(artist, renderer) -> tuple[float, float]:
    extent = artist.get_window_extent(renderer)
    return extent.width, extent.height


def _within(box: np.ndarray, frame: np.ndarray) -> bool:
    return bool(np.all(box[:2] >= frame[:2]) and np.all(box[2:] <= frame[2:]))


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.all((box[:2] < others[:, 2:]) & (others[:, :2] < box[2:]), axis=1)
