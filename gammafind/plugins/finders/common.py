"""What the finders share: checks of options, places between pixels, the table they return."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning

from gammafind.errors import OptionError
from gammafind.plugins.finders.significance import significance_map
from gammafind.progress import track
from gammafind.sky.patches import Patches

__all__ = ["find_in_patches", "refined", "require"]

_BOX = 5
_MOST_SHIFT = 1.0
"""Pixels by which a refined place may lie off its peak."""


def require(name: str, value: float, accepted: bool, remedy: str) -> None:
    """Raise OptionError unless an option is finite and accepted."""
    if not (np.isfinite(value) and accepted):
        raise OptionError(f"{name} is {value}", remedy=remedy)


def find_in_patches(
    patches: Patches, find: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> QTable:
    """Table of what ``find`` sees in the significance map of each patch.

    Parameters
    ----------
    patches : Patches
    find : callable
        Takes a map, shape (n, n), and returns columns and rows of pixels.

    Returns
    -------
    QTable
        ``patch, x, y, score``; the score is the significance of the pixel.
    """
    rows = [np.zeros((0, 4))]
    for index in track(range(len(patches)), "patches"):
        image = significance_map(patches, index)
        column, row = find(image)
        x, y = refined(image, column, row)
        rows.append(np.column_stack([np.full(len(x), index), x, y, image[row, column]]))
    patch, x, y, score = np.concatenate(rows).T
    return QTable({"patch": patch.astype(int), "x": x * u.pix, "y": y * u.pix, "score": score})


def refined(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of peaks between pixels, by a quadratic that photutils fits to 5 x 5 pixels.

    Where the fit has no peak within a pixel, the pixel stays.

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
