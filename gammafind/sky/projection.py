"""Gnomonic (TAN) projection of unit vectors, for many patches at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS


def unit_vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Unit vectors, shape (..., 3), of longitudes and latitudes in degrees."""
    lon, lat = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def longitudes_latitudes(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes (0 to 360) and latitudes in degrees of unit vectors, shape (n, 3)."""
    lon = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360
    return lon, np.degrees(np.arcsin(np.clip(vectors[:, 2], -1, 1)))


def vectors_in(frame: str, positions: SkyCoord) -> np.ndarray:
    """Unit vectors, shape (n, 3), of positions, shape (n,), in a frame."""
    here = positions.transform_to(frame).spherical
    return unit_vectors(here.lon.deg, here.lat.deg).reshape(-1, 3)


def positions_of(vectors: np.ndarray, frame: str) -> SkyCoord:
    """Sky positions of unit vectors, shape (n, 3), in a frame."""
    return SkyCoord(*longitudes_latitudes(vectors), unit="deg", frame=frame)


def tangent_basis(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """East, north and outward unit vectors at a position in degrees, shape (..., 3, 3)."""
    lon, lat = np.broadcast_arrays(np.radians(lon), np.radians(lat))
    zero = np.zeros_like(lon)
    east = np.stack([-np.sin(lon), np.cos(lon), zero], axis=-1)
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], axis=-1)
    out = unit_vectors(np.degrees(lon), np.degrees(lat))
    return np.stack([east, north, out], axis=-2)


def local_bases(vectors: np.ndarray) -> np.ndarray:
    """`tangent_basis` at unit vectors, shape (n, 3, 3)."""
    lon = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0]))
    lat = np.degrees(np.arcsin(np.clip(vectors[:, 2], -1, 1)))
    return tangent_basis(lon, lat)


def chords(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Lengths of the chords between unit vectors, shapes (..., 3)."""
    product = one[..., 0] * other[..., 0]
    product += one[..., 1] * other[..., 1]
    product += one[..., 2] * other[..., 2]
    return np.sqrt(np.maximum(2 - 2 * product, 0))


def north_up(
    names: Sequence[str], centre: Sequence[float], shape: tuple[int, int], step: float
) -> WCS:
    """WCS of an image with north up and a position in its middle.

    Parameters
    ----------
    names : sequence of str
        ``CTYPE`` of both axes.
    centre : sequence of float
        Longitude and latitude of the middle in degrees.
    shape : tuple of int
        ``(ny, nx)``.
    step : float
        Side of a pixel in degrees.
    """
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = names, centre
    wcs.wcs.crpix = [(n + 1) / 2 for n in reversed(shape)]
    wcs.wcs.cdelt = [-step, step]
    return wcs


def project(vectors: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets east and north in degrees on the tangent plane; NaN on the opposite hemisphere.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
    basis : ndarray, shape (3, 3)
        From `tangent_basis`.
    """
    east, north, out = (vectors @ basis.T).T
    with np.errstate(divide="ignore", invalid="ignore"):
        front = np.where(out > 0, out, np.nan)
        return np.degrees(east / front), np.degrees(north / front)


def deproject(east: np.ndarray, north: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Unit vectors, shape (..., 3), of offsets in degrees on the tangent plane."""
    plane = np.stack([np.radians(east), np.radians(north), np.ones(np.shape(east))], axis=-1)
    return (plane / np.linalg.norm(plane, axis=-1, keepdims=True)) @ basis


def to_frame(vectors: np.ndarray, frame: str) -> np.ndarray:
    """Rotate Galactic unit vectors, shape (..., 3), to another frame without attributes."""
    return vectors if frame == "galactic" else vectors @ _rotation(frame)


def from_frame(vectors: np.ndarray, frame: str) -> np.ndarray:
    """Rotate unit vectors, shape (..., 3), of a frame without attributes to Galactic ones."""
    return vectors if frame == "galactic" else vectors @ _rotation(frame).T


def _rotation(frame: str) -> np.ndarray:
    """Galactic unit vectors of the axes of a frame, as columns."""
    axes = SkyCoord(*np.eye(3), representation_type="cartesian", frame=frame)
    return axes.galactic.cartesian.xyz.value
