"""Local maxima of a score map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable
from scipy import ndimage

from gammafind.plugins.clusterers.common import (
    cluster_table,
    middle_pixel,
    require_at_least,
    require_choice,
)
from gammafind.plugins.clusterers.refine import quadratic_peak
from gammafind.roles.clusterer import Clusterer


@dataclass(frozen=True, kw_only=True)
class PeaksClusterer(Clusterer):
    """Local maxima, the usual choice for maps of the test statistic.

    Parameters
    ----------
    threshold : float
        Lowest value of a peak, in the unit of the map: 0.5 for a probability, 16 or 25 for
        a test statistic.
    min_separation : float
        A peak is the highest value within this radius, in pixels; at least 1.5, which includes the
        eight neighbours.
    smoothing : float
        Sigma in pixels of a Gaussian that smooths the map first; 0 for none. Noisy masks need it,
        test statistics do not.
    refine : {"quadratic", "none"}
        Vertex of a quadratic fitted to the 3 x 3 pixels around the peak, or the peak pixel.

    Raises
    ------
    OptionError
        If an option is out of range.
    """

    name: ClassVar[str] = "peaks"
    threshold: float = 0.5
    min_separation: float = 2.0
    smoothing: float = 0.0
    refine: str = "quadratic"

    def __post_init__(self) -> None:
        require_at_least(0, exclusive=True, threshold=self.threshold)
        require_at_least(1.5, min_separation=self.min_separation)
        require_at_least(0, smoothing=self.smoothing)
        require_choice(("quadratic", "none"), refine=self.refine)

    def _cluster(self, score_map: np.ndarray) -> QTable:
        if self.smoothing:
            score_map = ndimage.gaussian_filter(score_map, self.smoothing, mode="constant")
        peaks = list(_plateaus(label_maxima(score_map, self.threshold, self.min_separation)))
        places = [self._place(score_map, *peak) for peak in peaks]
        return cluster_table(
            places,
            score=[score_map[row, column] for row, column, _ in peaks],
            n_pixels=[size for *_, size in peaks],
        )

    def _place(
        self, score_map: np.ndarray, row: int, column: int, size: int
    ) -> tuple[float, float]:
        if self.refine == "quadratic" and size == 1:
            return quadratic_peak(score_map, row, column)
        return float(row), float(column)


def label_maxima(image: np.ndarray, threshold: float, radius: float) -> np.ndarray:
    """Number the local maxima of an image; a plateau of equal values is one maximum.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
    threshold : float
        Lowest value of a maximum.
    radius : float
        A maximum is the highest value within this radius, in pixels.

    Returns
    -------
    ndarray of int, shape (ny, nx)
        0 outside maxima. A number may be missing.
    """
    reach = int(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    footprint = x**2 + y**2 <= radius**2
    highest = ndimage.maximum_filter(image, footprint=footprint, mode="constant", cval=-np.inf)
    maxima = (image == highest) & (image >= threshold)
    labels, _ = ndimage.label(maxima, structure=np.ones((3, 3)))
    return np.where(np.isin(labels, _shelves(image, maxima, labels)), 0, labels)


def _plateaus(labels: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Row and column of the centre, and number of pixels, of each maximum."""
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            rows, columns = np.nonzero(labels[box] == label)
            row, column = middle_pixel(rows + box[0].start, columns + box[1].start)
            yield row, column, len(rows)


def _shelves(image: np.ndarray, maxima: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Labels of plateaus that continue at the same height next to a higher pixel."""
    next_to = ndimage.maximum_filter(
        np.where(maxima, image, -np.inf), size=3, mode="constant", cval=-np.inf
    )
    continued = ~maxima & (image == next_to)
    touched = ndimage.binary_dilation(continued, structure=np.ones((3, 3))) & maxima
    return np.unique(labels[touched])
