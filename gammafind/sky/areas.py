"""Solid angle of each pixel."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gammafind.sky.pixels import Pixels, WcsPixels


@lru_cache(maxsize=16)
def pixel_areas(pixels: Pixels) -> np.ndarray:
    """Solid angle of each pixel in sr, flat; read-only.

    In an image, the solid angle of a pixel changes with the distance from the reference point: by 4
    % at the corners of a TAN image of 12.8 deg, by half at latitude 60 deg in the plate carrée
    projection.

    Parameters
    ----------
    pixels : Pixels

    Returns
    -------
    ndarray, shape (n_pixels,)
        Zero if a corner of the pixel is outside the projection.
    """
    if not isinstance(pixels, WcsPixels):
        return np.broadcast_to(pixels.pixel_area.to_value("sr"), int(np.prod(pixels.shape)))
    y, x = np.indices(np.add(pixels.shape, 1)) - 0.5
    corner = pixels.at(x, y)
    rising = corner[1:, 1:] - corner[:-1, :-1]
    falling = corner[1:, :-1] - corner[:-1, 1:]
    area = np.linalg.norm(np.cross(rising, falling), axis=-1).ravel() / 2
    off = ~corner.any(axis=-1)
    area[(off[1:, 1:] | off[:-1, :-1] | off[1:, :-1] | off[:-1, 1:]).ravel()] = 0
    area.flags.writeable = False
    return area
