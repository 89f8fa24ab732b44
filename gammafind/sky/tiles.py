"""Tiles of an image in its own pixels: overlapping squares with disjoint cores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gammafind.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A part of an image.

    Parameters
    ----------
    rows, columns : slice
        Extent of the tile.
    core_rows, core_columns : slice
        Extent of its core: the cores of all tiles cover the image exactly once.
    """

    rows: slice
    columns: slice
    core_rows: slice
    core_columns: slice

    @property
    def corner(self) -> tuple[int, int]:
        """Column and row of the first pixel."""
        return self.columns.start, self.rows.start

    @property
    def middle(self) -> tuple[float, float]:
        """Pixel coordinates of the centre in the whole image."""
        return tuple((part.start + part.stop - 1) / 2 for part in (self.columns, self.rows))

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The part of an image in this tile, as a view."""
        return image[self.rows, self.columns]

    def owns(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Which positions, in pixel coordinates of the whole image, are in the core."""
        inside = [
            (at >= core.start - 0.5) & (at < core.stop - 0.5)
            for at, core in ((x, self.core_columns), (y, self.core_rows))
        ]
        return inside[0] & inside[1]


def tiles(shape: tuple[int, int], *, side: int, margin: int) -> Iterator[Tile]:
    """Cut an image into tiles of one size.

    Parameters
    ----------
    shape : tuple of int
        ``(ny, nx)``.
    side : int
        Pixels per side of a tile; a tile of a smaller image has the size of the image.
    margin : int
        Minimum number of pixels around the core, except at the border of the image. There tiles are
        moved inwards to keep their size.

    Raises
    ------
    OptionError
        If the margins leave no core.
    """
    if not 0 <= 2 * margin < side:
        raise OptionError(
            f"tiles of {side} pixels with a margin of {margin}",
            remedy="The margins must leave a core.",
        )
    for rows, core_rows in _spans(shape[0], side, margin):
        for columns, core_columns in _spans(shape[1], side, margin):
            yield Tile(rows=rows, columns=columns, core_rows=core_rows, core_columns=core_columns)


def _spans(n: int, side: int, margin: int) -> list[tuple[slice, slice]]:
    """Pixels of each tile along an axis, and those of its core."""
    if n <= side:
        return [(slice(0, n), slice(0, n))]
    step = side - 2 * margin
    starts = np.minimum(np.arange(0, n - side + step, step), n - side)
    edges = [0, *(starts[1:] + margin).tolist(), n]
    return [
        (slice(start, start + side), slice(low, high))
        for start, low, high in zip(starts.tolist(), edges[:-1], edges[1:], strict=True)
    ]
