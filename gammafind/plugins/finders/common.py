"""Common parts of the finders: checks of options, sub-pixel positions, their table."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity
from astropy.utils.exceptions import AstropyUserWarning

from gammafind.plugins.finders.significance import significance_map
from gammafind.roles.localiser import patch_by_patch
from gammafind.sky.patches import Patches
from gammafind.units import degrees
from gammafind.utils.checks import require

_BOX = 5
"""Side of the fit in pixels: holds the core of a source."""
_LEAST_BOX = 5
"""Smallest side of boxes in pixels: enough pixels for a median."""
_MOST_SHIFT = 1.0
"""Largest shift of a refined position in pixels: larger ones are failed fits."""


def check_box(box: Quantity) -> None:
    """Raise OptionError unless the side of a box is an angle, 0 or more."""
    side = degrees(box, name="box")
    require("box", side, side >= 0, "It must not be negative.")


def find_in_patches(
    patches: Patches,
    find: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]],
    *,
    box: Quantity,
) -> QTable:
    """Table of the detections of ``find`` in the levelled significance map of each patch.

    Parameters
    ----------
    patches : Patches
    find : callable
        Takes a map, shape (n, n), and returns columns and rows of pixels, and scores.
    box : Quantity
        As for `levelled`; an angle.

    Returns
    -------
    QTable
        ``patch, x, y, score``.
    """
    width = degrees(box, name="box") / patches.grid.pixel_size(patches.score_width)

    def find_in(index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        image = levelled(significance_map(patches, index), width)
        column, row, score = find(image)
        return *refined(image, column, row), score

    return patch_by_patch(patches, find_in)


def levelled(image: np.ndarray, box: float) -> np.ndarray:
    """Significances above their surroundings.

    The wide wings of bright sources at low energies are subtracted as photutils does for optical
    images: medians in boxes, with clipping at 3 standard deviations, interpolated between the
    boxes. A negative median is set to 0, because a deficit is not a source.

    Parameters
    ----------
    image : ndarray, shape (n, n)
    box : float
        Side of the boxes in pixels, at least 5; 0 returns the image itself.

    Returns
    -------
    ndarray, shape (n, n)
    """
    from photutils.background import Background2D, MedianBackground

    if not box:
        return image
    side = min(max(round(box), _LEAST_BOX), len(image))
    around = Background2D(
        image, side, filter_size=1, bkg_estimator=MedianBackground(), exclude_percentile=100
    )
    return image - np.maximum(around.background, 0)


def refined(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sub-pixel positions of peaks, by a quadratic that photutils fits to 5 x 5 pixels.

    If the fit has no peak within one pixel, the pixel is used.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
    x, y : ndarray of int, shape (n,)

    Returns
    -------
    x, y : ndarray, shape (n,)
    """
    from photutils.centroids import centroid_quadratic, centroid_sources

    pixels = np.stack([x, y]).astype(float)
    if pixels.size == 0:
        return tuple(pixels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        places = np.stack(
            centroid_sources(image, *pixels, box_size=_BOX, centroid_func=centroid_quadratic)
        )
    near = np.all(np.abs(places - pixels) <= _MOST_SHIFT, axis=0)
    return tuple(np.where(near, places, pixels))
