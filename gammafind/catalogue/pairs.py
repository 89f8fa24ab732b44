"""Pairs of sky positions within a radius of each other."""

from __future__ import annotations

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity
from scipy.spatial import cKDTree

from gammafind.errors import OptionError
from gammafind.sky.projection import unit_vectors
from gammafind.units import degrees


def pairs_within(
    a: SkyCoord, b: SkyCoord, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find all pairs of ``a`` and ``b`` with a separation of at most ``radius``.

    Parameters
    ----------
    a, b : SkyCoord, shapes (n,) and (m,)
    radius : ndarray, shape (n,)
        Radius around each of ``a``, in degrees.

    Returns
    -------
    i, j : ndarray of int, shape (k,)
        Indices into ``a`` and ``b``.
    separation : ndarray, shape (k,)
        In degrees.
    """
    if len(a) == 0 or len(b) == 0:
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    first, second = _vectors(a), _vectors(b)
    chord = 2 * np.sin(np.radians(np.minimum(radius, 180)) / 2)
    near = cKDTree(second).query_ball_point(first, chord, return_sorted=True)
    i = np.repeat(np.arange(len(a)), [len(found) for found in near])
    j = np.concatenate([np.asarray(found, dtype=int) for found in near])
    chord = np.linalg.norm(first[i] - second[j], axis=1)
    return i, j, np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1)))


def radii_of(radius: Quantity, n: int) -> np.ndarray:
    """Radii of ``n`` objects in degrees, from one radius or one for each.

    Raises
    ------
    OptionError
        If the number of radii is neither 1 nor ``n``, or one is negative or NaN.
    """
    values = np.asarray(degrees(radius, name="radius"), dtype=float)
    if values.shape not in ((), (n,)):
        raise OptionError(
            f"radius has shape {values.shape} for {n} objects",
            remedy="Give one radius, or one for each object.",
        )
    if not np.all(values >= 0):
        raise OptionError(f"radius is {radius}", remedy="It must not be negative or NaN.")
    return np.broadcast_to(values, (n,))


def _vectors(positions: SkyCoord) -> np.ndarray:
    here = positions.icrs
    return unit_vectors(here.ra.deg, here.dec.deg)
