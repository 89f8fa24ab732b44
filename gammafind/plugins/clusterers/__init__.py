"""Clusterers: from a score map to one peak per source."""

from __future__ import annotations

from gammafind.plugins.clusterers.disk import DiskClusterer
from gammafind.plugins.clusterers.kmeans import KMeansClusterer
from gammafind.plugins.clusterers.peaks import PeaksClusterer
from gammafind.plugins.clusterers.segmentation import SegmentationClusterer
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.hooks import hookimpl

__all__ = ["DiskClusterer", "KMeansClusterer", "PeaksClusterer", "SegmentationClusterer"]


@hookimpl
def gammafind_clusterers() -> list[type[Clusterer]]:
    """Return the built-in clusterers."""
    return [DiskClusterer, KMeansClusterer, PeaksClusterer, SegmentationClusterer]
