"""Maps that are known in some pixels, interpolated between these alone."""

from __future__ import annotations

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.sky.pixels import HealpixPixels, Pixels

_CHUNK = 200_000
"""Positions per step: limits memory."""


def interpolate_known(
    pixels: Pixels, maps: np.ndarray, known: np.ndarray, vectors: np.ndarray
) -> np.ndarray:
    """Values of maps at positions, with the same weights for all maps.

    Parameters
    ----------
    pixels : Pixels
        Of the maps.
    maps : ndarray, shape (n_maps, n_pixels)
        Not negative.
    known : ndarray of bool, shape (n_maps, n_pixels)
        Pixels that take part. Others, such as those without exposure, are not averaged into
        their neighbours.
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of ``pixels``; NaN for none.

    Returns
    -------
    ndarray, shape (n_maps, n)
        NaN where the pixel that contains the position is not known.
    """
    whole = bool(known.all())
    layers = maps if whole else np.concatenate([np.where(known, maps, 0), known])
    found = np.full((len(maps), len(vectors)), np.nan)
    rows = np.flatnonzero(np.isfinite(vectors[:, 0]))
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        index, values = _bilinear(pixels, layers, vectors[part])
        if not whole:
            inside = (index >= 0) & known[:, index]
            values, weights = np.split(values, 2)
            values = np.divide(values, weights, out=np.full(values.shape, np.nan), where=inside)
        # Weights of the interpolation may be below zero by rounding.
        found[:, part] = np.maximum(values, 0)
    return found


def _bilinear(
    pixels: Pixels, layers: np.ndarray, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels that contain vectors, -1 for none, and the layers there, shape (n_layers, n)."""
    if not isinstance(pixels, HealpixPixels):
        positions = SkyCoord(*vectors.T, representation_type="cartesian", frame=pixels.frame)
        found = [pixels.interpolate(layer.reshape(pixels.shape), positions) for layer in layers]
        return pixels.pixel_of(positions), np.array(found)
    import healpy as hp

    x, y, z = vectors.T
    index, weight = hp.get_interp_weights(
        pixels.nside, np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)
    )
    found = [(layer[index] * weight).sum(axis=0) for layer in layers]
    return pixels.containing(vectors), np.array(found)
