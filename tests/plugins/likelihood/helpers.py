"""Detections as unit vectors, and sources to be found."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.sky.projection import unit_vectors

_SMOOTHING = 25.0


def finder(threshold=16.0, **options) -> Likelihood:
    """Localiser for skies with pixels and a PSF of degrees."""
    return Likelihood(threshold=threshold, smoothing=_SMOOTHING, **options)


def places(found) -> np.ndarray:
    """Galactic unit vectors of detections."""
    return unit_vectors(found["glon"].to_value("deg"), found["glat"].to_value("deg"))


def nearest(vectors, found) -> tuple[np.ndarray, np.ndarray]:
    """Distance in degrees of the nearest detection to each vector, and its row."""
    distance, row = cKDTree(places(found)).query(vectors)
    return np.degrees(2 * np.arcsin(distance / 2)), row
