"""Detections from the output of a network: peaks of the score, placed within a pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.calibration import Calibration
from gammafind.networks.logits import sigmoid
from gammafind.roles.clusterer import Clusterer

_LEAST_LOG_ERROR, _LARGEST_LOG_ERROR = -5.0, 3.0
"""Logarithms of position errors in pixels that a network can be held to."""
_LARGEST_OFFSET = 1.0


@dataclass(frozen=True, eq=False)
class Peaks:
    """Detections of a stack of patches, one number each.

    Attributes
    ----------
    patch : ndarray of int
    x, y : ndarray
        Pixels, 0 at the centre of the first.
    score : ndarray
        At the peak: a logit from `find_maxima`, the clusterer's own from `find_clusters`.
    sigma : ndarray or None
        Error of x and of y in pixels, where the network predicts it.
    """

    patch: np.ndarray
    x: np.ndarray
    y: np.ndarray
    score: np.ndarray
    sigma: np.ndarray | None

    def select(self, rows: np.ndarray) -> Peaks:
        """Return some of the detections."""
        some = {name: value if value is None else value[rows] for name, value in vars(self).items()}
        return Peaks(**some)

    def of_patch(self, index: int) -> Peaks:
        """Return those of one patch."""
        return self.select(self.patch == index)


@dataclass(frozen=True, kw_only=True)
class PeakFinder:
    """Makes detections of the output of a network.

    Parameters
    ----------
    threshold : float
        Least probability of a detection.
    separation : float
        A detection has the highest score within this radius, in pixels.
    clusterer : Clusterer, optional
        Makes the detections instead of the local maxima; scores are then its own.
    """

    threshold: float
    separation: float
    clusterer: Clusterer | None = None

    def __call__(self, output: np.ndarray, calibration: Calibration) -> Peaks:
        """Detections with calibrated scores.

        Parameters
        ----------
        output : ndarray, shape (n, w, w, 1) or (n, w, w, 4)
            As for `find_maxima`.
        calibration : Calibration
            Of the network.
        """
        if self.clusterer is not None:
            return find_clusters(output, self.clusterer)
        least = calibration.logit(self.threshold)
        peaks = find_maxima(output, least=least, radius=self.separation)
        return replace(peaks, score=calibration.probability(peaks.score))


def find_maxima(output: np.ndarray, *, least: float, radius: float) -> Peaks:
    """Find the peaks of the score, and where the network puts the sources.

    Parameters
    ----------
    output : ndarray, shape (n, w, w, 1) or (n, w, w, 4)
        Of a network; see `gammafind.networks.unet.build_network`.
    least : float
        Lowest score of a peak, as a logit.
    radius : float
        A peak is the highest score within this radius, in pixels.
    """
    patch, row, column = local_maxima(output[..., 0], least=least, radius=radius)
    peaks = output[patch, row, column].astype(float)
    x, y = column.astype(float), row.astype(float)
    if peaks.shape[1] == 1:
        return Peaks(patch, x, y, peaks[:, 0], None)
    shift = np.clip(peaks[:, 1:3], -_LARGEST_OFFSET, _LARGEST_OFFSET)
    edge = output.shape[1] - 0.5
    return Peaks(
        patch,
        np.clip(x + shift[:, 0], -0.5, edge),
        np.clip(y + shift[:, 1], -0.5, edge),
        peaks[:, 0],
        _position_errors(peaks[:, 3]),
    )


def find_clusters(output: np.ndarray, clusterer: Clusterer) -> Peaks:
    """Let a clusterer find the sources in the score maps, each pixel between 0 and 1.

    Parameters
    ----------
    output : ndarray, shape (n, w, w, 1) or (n, w, w, 4)
        As for `find_maxima`; position errors are those of the nearest pixel.
    clusterer : Clusterer
    """
    tables = [clusterer.cluster(score_map) for score_map in sigmoid(output[..., 0])]
    patch = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    x, y, score = (
        np.concatenate([np.zeros(0), *(np.asarray(table[name]) for table in tables)])
        for name in ("x", "y", "score")
    )
    if output.shape[-1] == 1:
        return Peaks(patch, x, y, score, None)
    last = output.shape[1] - 1
    column, row = (np.clip(np.rint(a).astype(int), 0, last) for a in (x, y))
    return Peaks(patch, x, y, score, _position_errors(output[patch, row, column, 3]))


def local_maxima(
    maps: np.ndarray, *, least: float, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels of a stack of maps that are the highest within a radius.

    Of equal pixels the first counts, in the order of rows and columns.

    Parameters
    ----------
    maps : ndarray, shape (n, ny, nx)
    least : float
        Lowest value of a maximum.
    radius : float
        In pixels, at least 1.

    Returns
    -------
    tuple of ndarray of int
        Map, row and column of each maximum.
    """
    if not radius >= 1:
        raise OptionError(f"the radius of maxima is {radius}", remedy="It must be 1 or more.")
    reach = int(radius)
    pad = ((0, 0), (reach, reach), (reach, reach))
    padded = np.pad(maps, pad, constant_values=-np.inf)
    index, row, column = np.nonzero(maps >= least)
    value = maps[index, row, column]
    highest = np.ones(len(value), dtype=bool)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if (dy, dx) == (0, 0) or dy**2 + dx**2 > radius**2:
                continue
            other = padded[index, row + reach + dy, column + reach + dx]
            highest &= value > other if (dy, dx) < (0, 0) else value >= other
    return index[highest], row[highest], column[highest]


def _position_errors(log_error: np.ndarray) -> np.ndarray:
    """Error of x and of y in pixels, from the output of a network."""
    return np.exp(np.clip(log_error, _LEAST_LOG_ERROR, _LARGEST_LOG_ERROR))
