"""From means in cells of longitude and latitude to a map with structure inside the cells."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.sparse import csr_matrix, vstack

from gammafind.sky.pixels import HealpixPixels

N_LON, N_LAT = 240, 131
"""Cells of 1.5 x 1.375 deg; longitude falls from 179.25, latitude is (row - 65) x 1.375."""
_STEP = 0.125
"""Pixels of gll_iem_v07 in degrees."""
_PER_LON, _PER_LAT = 12, 11
"""Pixels of gll_iem_v07 in a cell."""
_ROUNDS = 30
"""The means are then exact within 1e-4."""


def fill_cells(cells: np.ndarray, structure: np.ndarray, pixels: HealpixPixels) -> np.ndarray:
    """Map of a given structure, times a smooth factor, whose means in the cells are given.

    Parameters
    ----------
    cells : ndarray, shape (131, 240)
        Positive.
    structure : ndarray, shape of ``pixels``
        Positive, of any norm.
    pixels : HealpixPixels
        Galactic.

    Returns
    -------
    ndarray, shape of ``pixels``

    Notes
    -----
    The factor is linear in longitude and latitude between the centres of cells, so there are no
    steps at their borders. Its values there are found by iteration.
    """
    smooth, mean = _interpolation(pixels), _averages(pixels)
    target = np.ravel(cells)
    factor = target / (mean @ structure)
    for _ in range(_ROUNDS):
        factor = factor * target / (mean @ (structure * (smooth @ factor)))
    return structure * (smooth @ factor)


def cell_means(values: np.ndarray, pixels: HealpixPixels) -> np.ndarray:
    """Mean of a map in each cell, shape (131, 240).

    The map is interpolated at the pixels of gll_iem_v07, and the mean taken over the 12 x 11 in a
    cell, as in the table that the package holds.
    """
    return (_averages(pixels) @ values).reshape(N_LAT, N_LON)


@lru_cache(maxsize=1)
def _interpolation(pixels: HealpixPixels) -> csr_matrix:
    """Matrix from cells to pixels: bilinear between the centres of cells."""
    lon, lat = pixels.centres().spherical.lon.deg, pixels.centres().spherical.lat.deg
    x = (N_LON - 1) / 2 - ((lon + 180) % 360 - 180) / (_STEP * _PER_LON)
    y = np.clip(lat / (_STEP * _PER_LAT) + (N_LAT - 1) / 2, 0, N_LAT - 1)
    left, low = np.floor(x).astype(int), np.minimum(np.floor(y).astype(int), N_LAT - 2)
    right, up = x - left, y - low
    rows = np.arange(len(x))
    columns = [(low + j) * N_LON + (left + i) % N_LON for j in (0, 1) for i in (0, 1)]
    shares = [v * h for v in (1 - up, up) for h in (1 - right, right)]
    return csr_matrix(
        (np.concatenate(shares), (np.tile(rows, 4), np.concatenate(columns))),
        shape=(len(x), N_LON * N_LAT),
    )


@lru_cache(maxsize=1)
def _averages(pixels: HealpixPixels) -> csr_matrix:
    """Matrix from pixels to cells: means over the pixels of gll_iem_v07."""
    import healpy as hp

    lon = 180 - _STEP * (np.arange(N_LON * _PER_LON) + 0.5)
    parts = []
    for row in range(N_LAT):
        lat = _STEP * (row * _PER_LAT + np.arange(_PER_LAT)) - 90
        there, here = np.meshgrid(lon, lat)
        index, share = hp.get_interp_weights(pixels.nside, there.ravel(), here.ravel(), lonlat=True)
        cell = np.tile(np.arange(N_LON).repeat(_PER_LON), _PER_LAT)
        part = csr_matrix(
            (share.ravel() / (_PER_LON * _PER_LAT), (np.tile(cell, 4), index.ravel())),
            shape=(N_LON, pixels.shape[0]),
        )
        parts.append(part)
    return vstack(parts, format="csr")
