"""Segments above a threshold, optionally deblended, by photutils."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from astropy.table import QTable
from astropy.utils.introspection import minversion

from gammafind.errors import OptionError
from gammafind.plugins.clusterers.common import cluster_table, require_at_least
from gammafind.roles.clusterer import Clusterer
from gammafind.utils.checks import require

if TYPE_CHECKING:
    from photutils.segmentation import SegmentationImage


@dataclass(frozen=True, kw_only=True)
class SegmentationClusterer(Clusterer):
    """Neighbouring pixels above a threshold, each segment at its centroid.

    Parameters
    ----------
    threshold : float
        Lowest value of a pixel of a segment, in the unit of the map.
    min_pixels : int
        Smallest segment.
    deblend : bool
        Divide segments with several peaks; needs scikit-image.
    contrast : float
        Smallest share of a part in the total of a segment, from 0 (all parts) to 1 (none).

    Raises
    ------
    OptionError
        If an option is out of range, or ``deblend`` is true without scikit-image.
    """

    name: ClassVar[str] = "segmentation"
    threshold: float = 0.5
    min_pixels: int = 1
    deblend: bool = False
    contrast: float = 0.001

    def __post_init__(self) -> None:
        require_at_least(0, exclusive=True, threshold=self.threshold)
        require_at_least(1, min_pixels=self.min_pixels)
        require("contrast", self.contrast, 0 <= self.contrast <= 1, "It must be between 0 and 1.")
        if self.deblend and find_spec("skimage") is None:
            raise OptionError(
                "deblend is on, but scikit-image is not installed",
                remedy="Install it (pip install scikit-image), or set deblend to false.",
            )

    def _cluster(self, score_map: np.ndarray) -> QTable:
        from scipy import ndimage

        segments = self._segments(score_map)
        if segments is None:
            return cluster_table([], [], [])
        data, index = segments.data, segments.labels
        middle = ndimage.center_of_mass(score_map, data, index)
        return cluster_table(
            middle,
            score=ndimage.maximum(score_map, data, index),
            n_pixels=segments.areas,
        )

    def _segments(self, score_map: np.ndarray) -> SegmentationImage | None:
        from photutils.segmentation import deblend_sources, detect_sources
        from photutils.utils.exceptions import NoDetectionsWarning

        # photutils uses pixels above its threshold, gammafind those at or above.
        threshold = np.nextafter(self.threshold, -np.inf)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoDetectionsWarning)
            segments = detect_sources(score_map, threshold, self.min_pixels)
            if segments is None or not self.deblend:
                return segments
            return deblend_sources(
                score_map,
                segments,
                self.min_pixels,
                contrast=self.contrast,
                mode="linear",
                **_without_progress_bar(),
            )


def _without_progress_bar() -> dict[str, bool]:
    """Option that silences `deblend_sources`; photutils 3.1 is silent and deprecates it."""
    return {} if minversion("photutils", "3.1") else {"progress_bar": False}
