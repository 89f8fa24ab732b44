"""Maps of the exposure interpolated at other pixels and positions, with their gaps."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.errors import InputDataError
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import from_frame, to_frame
from gammafind.utils.cache import cached_arrays
from gammafind.utils.workers import in_threads

_VERSION = 1
"""Version of the interpolation; the cache ignores arrays of other versions."""
_CHUNK = 200_000
"""Positions per step: limits memory."""


def maps_on_pixels(home: Pixels, maps: np.ndarray, target: Pixels, source: str) -> np.ndarray:
    """Interpolate maps at pixel centres; kept in the cache where the pixels are smaller.

    Parameters
    ----------
    home : Pixels
        Of the maps.
    maps : ndarray, shape (n_maps, n_home)
        NaN where unknown.
    target : Pixels
    source : str
        Origin of the maps, for messages.

    Returns
    -------
    ndarray, shape (n_maps, n), float32
        NaN where a pixel is outside the projection of an image.

    Raises
    ------
    InputDataError
        If a map is not known in all pixels.
    """
    if not isinstance(target, HealpixPixels):
        vectors = from_frame(target.vectors, target.frame)
        return maps_at(home, maps, vectors, source).astype(np.float32)

    def at(start: int) -> np.ndarray:
        part = np.arange(start, min(start + _CHUNK, target.shape[0]))
        return _interpolate(home, maps, from_frame(target.at(part), target.frame))

    def compute() -> dict[str, np.ndarray]:
        values = np.empty((len(maps), *target.shape), dtype=np.float32)
        starts = range(0, target.shape[0], _CHUNK)
        # A WCS serves one thread at a time.
        parts = in_threads(at, starts) if isinstance(home, HealpixPixels) else map(at, starts)
        for start, found in zip(starts, parts, strict=True):
            values[:, start : start + _CHUNK] = found
        _check(np.isnan(values[0]), source)
        return {"exposure": values}

    if not isinstance(home, HealpixPixels) or target.nside <= home.nside:
        return compute()["exposure"]
    key = {
        "array": "exposure at pixels",
        "version": _VERSION,
        "maps": sha256(np.ascontiguousarray(maps)).hexdigest(),
        "home": repr(home),
        "pixels": repr(target),
    }
    return cached_arrays(key, compute)["exposure"]


def maps_at(home: Pixels, maps: np.ndarray, vectors: np.ndarray, source: str) -> np.ndarray:
    """Interpolate maps at Galactic vectors, shape (n_maps, n); NaN where a vector is.

    The parameters, and what is raised, are those of `maps_on_pixels`.
    """
    found = np.empty((len(maps), len(vectors)))
    for start in range(0, len(vectors), _CHUNK):
        part = slice(start, start + _CHUNK)
        found[:, part] = _interpolate(home, maps, vectors[part])
    _check(np.isnan(found[0]) & np.isfinite(vectors[:, 0]), source)
    return found


def _interpolate(home: Pixels, maps: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    known = np.isfinite(maps[0])
    layers = np.concatenate([np.where(known, maps, 0), known[np.newaxis]])
    *values, weight = _bilinear(home, layers, vectors)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Weights of the interpolation may be below zero by rounding.
        mean = np.maximum(np.array(values) / weight, 0)
        return np.where(weight > 0.5, mean, np.nan)


def _check(missing: np.ndarray, source: str) -> None:
    if number := np.count_nonzero(missing):
        raise InputDataError(
            f"the exposure is not known in {number} pixels",
            path=source,
            remedy="It must cover all pixels of the maps.",
        )


def _bilinear(home: Pixels, layers: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Interpolate all layers, shape (n_layers, n_pixels), with the same weights."""
    on_sky = np.isfinite(vectors[:, 0])
    here = np.where(on_sky[:, None], vectors, [0, 0, 1])
    if not isinstance(home, HealpixPixels):
        positions = SkyCoord(*here.T, representation_type="cartesian", frame="galactic")
        found = [home.interpolate(array.reshape(home.shape), positions) for array in layers]
    else:
        import healpy as hp

        x, y, z = to_frame(here, home.frame).T
        index, weight = hp.get_interp_weights(
            home.nside, np.arctan2(np.hypot(x, y), z), np.arctan2(y, x)
        )
        found = [(array[index] * weight).sum(axis=0) for array in layers]
    return np.where(on_sky, found, np.nan)
