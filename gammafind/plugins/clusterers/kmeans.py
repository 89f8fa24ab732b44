"""k-means of the pixels above a threshold, with the number of means found from their spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.plugins.clusterers.common import cluster_table, require_at_least
from gammafind.roles.clusterer import Clusterer

_MAX_ROUNDS = 30
"""Most rounds of moving means: far more than usual, limits time."""


@dataclass(frozen=True, kw_only=True)
class KMeansClusterer(Clusterer):
    """Means of connected pixels above a threshold, as many as discs of a given size can explain.

    Each connected group of pixels gets one mean, then one more at its worst fitted pixel, as long
    as a cluster is wider than a disc of ``radius`` + 1 pixels. Pixels are weighted by their score.
    The result is not random.

    Parameters
    ----------
    threshold : float
        Lowest value of a pixel, in the unit of the map.
    radius : float
        Radius of a source in pixels.
    max_clusters : int
        Largest number of means in a connected group.

    Raises
    ------
    OptionError
        If an option is out of range.

    References
    ----------
    Panes et al. 2021, A&A 656, A62, doi:10.1051/0004-6361/202141193, cluster the mask of their
    network by k-means; the choice of the number of means is new here.
    """

    name: ClassVar[str] = "kmeans"
    threshold: float = 0.5
    radius: float = 5.0
    max_clusters: int = 20

    def __post_init__(self) -> None:
        require_at_least(0, exclusive=True, threshold=self.threshold, radius=self.radius)
        require_at_least(1, max_clusters=self.max_clusters)

    def _cluster(self, score_map: np.ndarray) -> QTable:
        from scipy import ndimage

        labels, _ = ndimage.label(score_map >= self.threshold, structure=np.ones((3, 3)))
        rows = []
        for label, box in enumerate(ndimage.find_objects(labels), start=1):
            pixels = np.argwhere(labels[box] == label) + [axis.start for axis in box]
            rows += self._split(pixels, score_map[tuple(pixels.T)])
        y, x, *columns = np.reshape(rows, (-1, 4)).T
        return cluster_table(np.stack([y, x], axis=1), *columns)

    def _split(
        self, pixels: np.ndarray, score: np.ndarray
    ) -> list[tuple[float, float, float, int]]:
        """Rows ``y, x, score, n_pixels`` of the clusters of one connected group."""
        # The mean squared distance from the centre of a uniform disc is radius**2 / 2.
        limit = (self.radius + 1) ** 2 / 2
        means, nearest = fit_means(pixels, score, limit, self.max_clusters)
        return [
            (y, x, score[nearest == index].max(), np.count_nonzero(nearest == index))
            for index, (y, x) in enumerate(means)
            if np.any(nearest == index)
        ]


def fit_means(
    points: np.ndarray, weight: np.ndarray, limit: float, max_means: int
) -> tuple[np.ndarray, np.ndarray]:
    """Smallest number of means, added one by one, with no cluster wider than a limit.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    weight : ndarray, shape (n,)
        Positive.
    limit : float
        Largest weighted mean squared distance of the points of a cluster from their mean.
    max_means : int
        Largest number of means.

    Returns
    -------
    means : ndarray, shape (k, 2)
    nearest : ndarray of int, shape (n,)
        Index of the mean of each point.
    """
    points = np.asarray(points, dtype=float)
    means = np.average(points, axis=0, weights=weight)[None]
    while True:
        means, nearest, squared = _relax(points, weight, means)
        total = np.bincount(nearest, weight, len(means))
        spread = np.bincount(nearest, weight * squared, len(means)) / np.where(total > 0, total, 1)
        worst = int(spread.argmax())
        if spread[worst] <= limit or len(means) >= min(max_means, len(points)):
            return means, nearest
        farthest = np.where(nearest == worst, weight * squared, -1).argmax()
        means = np.vstack([means, points[farthest]])


def _relax(
    points: np.ndarray, weight: np.ndarray, means: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Move the means to the centres of their points until none moves."""
    from scipy.cluster.vq import vq

    for _ in range(_MAX_ROUNDS):
        nearest, distance = vq(points, means)
        total = np.bincount(nearest, weight, len(means))
        sums = [np.bincount(nearest, weight * axis, len(means)) for axis in points.T]
        moved = np.where(
            total[:, None] > 0, np.stack(sums, 1) / np.where(total > 0, total, 1)[:, None], means
        )
        if np.allclose(moved, means, rtol=0, atol=1e-6):
            break
        means = moved
    return means, nearest, distance**2
