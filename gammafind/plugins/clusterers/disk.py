"""Discs of high score, separated by raising a threshold: the clusterer of the paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.plugins.clusterers.common import (
    cluster_table,
    middle_pixel,
    require_at_least,
    require_choice,
)
from gammafind.plugins.clusterers.refine import centroid, quadratic_peak
from gammafind.roles.clusterer import Clusterer

_DECIMALS = 9
"""Relative decimals of sums: far below any difference, so that equal sums compare equal."""


@dataclass(frozen=True, kw_only=True)
class DiskClusterer(Clusterer):
    """Peaks of the score summed over a disc, as in the paper.

    Parameters
    ----------
    radius : float
        Radius of the disc in pixels, equal to that of the discs in the truth mask.
    threshold : float
        Lowest sum over the disc.
    step : float
        Increase of the threshold for a group that is too large.
    max_pixels : int
        Size of the largest group that counts as one source.
    refine : {"none", "quadratic", "centroid"}
        Peak pixel (the paper), vertex of a quadratic fitted to the sums, or centroid of the
        score within a pixel of the disc.

    Raises
    ------
    OptionError
        If an option is out of range.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 3.3.
    """

    name: ClassVar[str] = "disk"
    radius: float = 5.0
    threshold: float = 30.0
    step: float = 10.0
    max_pixels: int = 5
    refine: str = "none"

    def __post_init__(self) -> None:
        require_at_least(0, exclusive=True, threshold=self.threshold, step=self.step)
        require_at_least(0, radius=self.radius)
        require_at_least(1, max_pixels=self.max_pixels)
        require_choice(("none", "quadratic", "centroid"), refine=self.refine)

    def _cluster(self, score_map: np.ndarray) -> QTable:
        sums = disk_sum(score_map, self.radius)
        groups = list(split_groups(sums, self.threshold, self.step, self.max_pixels))
        places = [self._place(score_map, sums, group) for group in groups]
        return cluster_table(
            places,
            score=[group.peak for group in groups],
            n_pixels=[group.n_pixels for group in groups],
        )

    def _place(self, score_map: np.ndarray, sums: np.ndarray, group: Group) -> tuple[float, float]:
        if self.refine == "quadratic":
            return quadratic_peak(sums, group.row, group.column)
        if self.refine == "centroid":
            return centroid(score_map, group.row, group.column, self.radius + 1)
        return float(group.row), float(group.column)


@dataclass(frozen=True)
class Group:
    """Neighbouring pixels of one source: peak pixel, its value, number of pixels."""

    row: int
    column: int
    peak: float
    n_pixels: int


def disk_sum(image: np.ndarray, radius: float) -> np.ndarray:
    """Sum of ``image`` within ``radius`` pixels of each pixel, zero beyond the border.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
    radius : float
        In pixels.

    Returns
    -------
    ndarray, shape (ny, nx)
        Rounded to 1e-9 of the highest value, so that equal sums compare equal.
    """
    import cv2

    reach = int(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = (x**2 + y**2 <= radius**2).astype(float)
    scale = np.abs(image).max() or 1.0
    sums = cv2.filter2D(image / scale, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    return np.round(sums, _DECIMALS) * scale


def split_groups(
    image: np.ndarray, threshold: float, step: float, max_pixels: int
) -> Iterator[Group]:
    """Divide an image into small groups of neighbours by raising the threshold in each.

    A group with more than ``max_pixels`` is searched again at the next threshold that removes a
    pixel. A group that would vanish there is a plateau: it stays one group of any size. Each search
    removes pixels, so it ends for any image.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
    threshold : float
        Lowest value at the start.
    step : float
        Increase of the threshold.
    max_pixels : int
        Largest group that is not searched again.

    Yields
    ------
    Group
    """
    waiting = [(0, 0, image, threshold)]
    while waiting:
        top, left, window, level = waiting.pop()
        for row, column, values in _connected(window, level):
            inside = values[np.isfinite(values)]
            lowest = inside.min()
            above = level + step * (np.floor((lowest - level) / step) + 1)
            above = max(above, np.nextafter(lowest, np.inf))
            if inside.size > max_pixels and inside.max() >= above:
                waiting.append((top + row, left + column, values, above))
            else:
                yield _group(values, top + row, left + column)


def _connected(window: np.ndarray, level: float) -> Iterator[tuple[int, int, np.ndarray]]:
    """Top, left and values of each 8-connected group at or above ``level``, -inf around it."""
    import cv2

    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        (window >= level).astype(np.uint8), connectivity=8
    )
    for label, (left, top, width, height, _) in enumerate(stats[1:].tolist(), start=1):
        box = np.s_[top : top + height, left : left + width]
        yield top, left, np.where(labels[box] == label, window[box], -np.inf)


def _group(values: np.ndarray, top: int, left: int) -> Group:
    peak = values.max()
    row, column = middle_pixel(*np.nonzero(values == peak))
    return Group(top + row, left + column, float(peak), int(np.isfinite(values).sum()))
