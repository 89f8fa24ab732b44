"""Functions of the sky on the centres of pixels, in parts and in the cache."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import numpy as np

from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import from_frame
from gammafind.utils.cache import cached_arrays
from gammafind.utils.workers import in_threads

_CHUNK = 200_000
"""Pixels per step: limits memory."""
_VERSION = 1
"""Of what is kept: to be raised when the numbers change."""


def on_pixels(
    at: Callable[[np.ndarray], np.ndarray], n_maps: int, target: Pixels, *, threads: bool
) -> np.ndarray:
    """Values at pixel centres, shape (n_maps, n), float32.

    Parameters
    ----------
    at : callable
        Takes Galactic unit vectors (n, 3), and returns values (n_maps, n).
    n_maps : int
    target : Pixels
    threads : bool
        Whether ``at`` may run in several threads; that of a WCS may not.
    """
    if not isinstance(target, HealpixPixels):
        return at(from_frame(target.vectors, target.frame)).astype(np.float32)

    def of_part(start: int) -> np.ndarray:
        part = np.arange(start, min(start + _CHUNK, target.shape[0]))
        return at(from_frame(target.at(part), target.frame))

    values = np.empty((n_maps, *target.shape), dtype=np.float32)
    starts = range(0, target.shape[0], _CHUNK)
    parts = in_threads(of_part, starts) if threads else map(of_part, starts)
    for start, found in zip(starts, parts, strict=True):
        values[:, start : start + _CHUNK] = found
    return values


def kept_on_pixels(
    at: Callable[[np.ndarray], np.ndarray], home: Pixels, maps: np.ndarray, target: Pixels
) -> np.ndarray:
    """As `on_pixels`, for interpolated maps; kept in the cache where the pixels are smaller.

    Parameters
    ----------
    at : callable
    home : Pixels
        Of the maps.
    maps : ndarray, shape (n_maps, n_home)
    target : Pixels
    """
    threads = isinstance(home, HealpixPixels)

    def compute() -> dict[str, np.ndarray]:
        return {"exposure": on_pixels(at, len(maps), target, threads=threads)}

    if not threads or not isinstance(target, HealpixPixels) or target.nside <= home.nside:
        return compute()["exposure"]
    key = {
        "array": "exposure at pixels",
        "version": _VERSION,
        "maps": sha256(np.ascontiguousarray(maps)).hexdigest(),
        "home": repr(home),
        "pixels": repr(target),
    }
    return cached_arrays(key, compute)["exposure"]
