"""The exact share of a point source in pixels that are wider than its PSF, from their corners.

The share of a radial PSF in a polygon is a sum over its edges. Each edge forms two right triangles
with the source, and the share in such a triangle is tabulated once for each PSF. So the time does
not depend on the size of the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import astropy.units as u
import numpy as np

from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import local_bases
from gammafind.sky.psf import RadialPsf

_NODES = 320
"""Nodes of the table on each axis: shares are accurate to 2e-4."""
_RADII = 20_000
"""Radii between which the containment is linear: its error is below 1e-7."""
_POINTS = 4
"""Quadrature points between two nodes: accurate to rounding."""
_FINEST = 0.1
"""Distance, in cores of the PSF, below which nodes are evenly spaced: the PSF is flat there."""
_BEND = 6.7
"""Edges of HEALPix pixels depart from straight lines by a fifth of the square of their length; they
are divided until this is below 0.03 cores."""
_POLAR = 4
"""Factor by which edges are divided more near the HEALPix poles, where pixels are not squares."""
_TURNS = 12
"""Orientations of a square in a mean: enough for a smooth profile."""
_CHUNK = 30_000
"""Pairs of source and pixel per step: limits memory."""


def corner_shares(
    vectors: np.ndarray,
    index: np.ndarray,
    pixels: Pixels,
    psf: RadialPsf,
    core: float,
    *,
    polar: bool = False,
) -> np.ndarray:
    """Share of the counts of each source in one pixel.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors of the sources in the frame of ``pixels``.
    index : ndarray of int, shape (n,)
        Flat pixel indices.
    pixels : Pixels
    psf : RadialPsf
    core : float
        Distance in radians over which the PSF is steep.
    polar : bool
        Whether the pixels are near a HEALPix pole, where edges are bent more.

    Returns
    -------
    ndarray, shape (n,)
        Zero where a corner of the pixel is outside the projection.
    """
    table, shares = _triangles(psf, core), np.empty(len(index))
    for part in np.array_split(np.arange(len(index)), len(index) // _CHUNK + 1):
        unique, inverse = np.unique(index[part], return_inverse=True)
        corners = corner_vectors(pixels, unique, core, polar=polar)[inverse]
        shares[part] = _in_polygons(_around(vectors[part], corners), table)
    return np.nan_to_num(shares)


def corner_vectors(
    pixels: Pixels, index: np.ndarray, core: float, *, polar: bool = False
) -> np.ndarray:
    """Unit vectors of points around pixels, in order, shape (n, k, 3).

    They are the four corners, and more points on the bent edges of HEALPix pixels, as many as a PSF
    with a core of ``core`` radians needs.
    """
    if isinstance(pixels, HealpixPixels):
        import healpy as hp

        size = float(np.sqrt(pixels.pixel_area.to_value("sr")))
        parts = int(np.ceil(size * np.sqrt(_BEND / core))) * (_POLAR if polar else 1)
        if not len(index):
            return np.zeros((0, 4 * parts, 3))
        return np.moveaxis(hp.boundaries(pixels.nside, index, step=parts), 1, 2)
    y, x = np.divmod(index, pixels.shape[1])
    right, up = np.array([-0.5, 0.5, 0.5, -0.5]), np.array([-0.5, -0.5, 0.5, 0.5])
    return pixels.at(x[:, None] + right, y[:, None] + up)


def _around(vectors: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Corners in a plane around each source, in radians, shape (n, k, 2).

    Distances from the source are angles, so that the share within a radius is exact.
    """
    east, north, out = np.einsum("nij,nkj->ink", local_bases(vectors), corners)
    aside = np.hypot(east, north)
    stretch = np.arctan2(aside, out) / np.maximum(aside, 1e-300)
    return np.stack([east * stretch, north * stretch], axis=-1)


def _in_polygons(corners: np.ndarray, table: _Triangles) -> np.ndarray:
    """Share of a source at the origin in each polygon, shape (n,)."""
    edge = np.roll(corners, -1, axis=1) - corners
    length = np.maximum(np.hypot(edge[..., 0], edge[..., 1]), 1e-300)
    along = edge / length[..., None]
    height = corners[..., 0] * along[..., 1] - corners[..., 1] * along[..., 0]
    start = np.einsum("nki,nki->nk", corners, along)
    triangles = table(np.abs(height), start + length) - table(np.abs(height), start)
    return np.abs((np.sign(height) * triangles).sum(axis=1))


@dataclass(frozen=True, eq=False)
class _Triangles:
    """Shares of a PSF in right triangles with the source at the acute corner.

    Attributes
    ----------
    values : ndarray, shape (n, n)
        By the leg next to the source, and by the other leg.
    unit, step : float
        Length below which nodes are evenly spaced, and distance of nodes in asinh of the leg over
        this length.
    reach : float
        Longest leg of the table, beyond the PSF.
    """

    values: np.ndarray
    unit: float
    step: float
    reach: float

    def __call__(self, height: np.ndarray, leg: np.ndarray) -> np.ndarray:
        """Share in the triangle of two legs; odd in the second one."""
        inside = np.minimum(np.abs(leg), self.reach)
        row, column = (
            np.arcsinh(np.minimum(each, self.reach) / self.unit) / self.step
            for each in (height, inside)
        )
        i, j = (np.minimum(each.astype(np.int32), _NODES - 2) for each in (row, column))
        row, column = row - i, column - j
        flat, first = self.values.ravel(), i * _NODES + j
        low = flat[first] * (1 - column) + flat[first + 1] * column
        first += _NODES
        high = flat[first] * (1 - column) + flat[first + 1] * column
        share = low * (1 - row) + high * row
        far = (height > self.reach) | (np.abs(leg) > self.reach)
        if far.any():
            share[far] = self._far(height[far], np.abs(leg[far]), inside[far], share[far])
        return np.copysign(share, leg)

    def _far(
        self, height: np.ndarray, leg: np.ndarray, inside: np.ndarray, share: np.ndarray
    ) -> np.ndarray:
        """Shares where all of the PSF is within the far part: angles."""
        whole = np.arctan2(leg, height) / (2 * np.pi)
        more = share + whole - np.arctan2(inside, height) / (2 * np.pi)
        return np.where(height > self.reach, whole, more)


@lru_cache(maxsize=32)
def _triangles(psf: RadialPsf, core: float) -> _Triangles:
    unit, reach = _FINEST * core, float(psf.theta[-1])
    nodes = np.linspace(0, np.arcsinh(reach / unit), _NODES)
    legs = unit * np.sinh(nodes)
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    half, middle = np.diff(legs) / 2, (legs[1:] + legs[:-1]) / 2
    at = middle[:, None] + half[:, None] * points
    values = np.zeros((_NODES, _NODES))
    radii = unit * np.sinh(np.linspace(0, nodes[-1] + 1, _RADII))
    held = psf.containment(radii * u.rad)
    for row, height in enumerate(legs[1:], start=1):
        square = at**2 + height**2
        inner = np.interp(np.sqrt(square), radii, held) * height / square
        values[row, 1:] = np.cumsum((inner * weights).sum(axis=1) * half) / (2 * np.pi)
    return _Triangles(values, unit, float(nodes[1]), reach)


def square_shares(distance: np.ndarray, side: float, psf: RadialPsf, core: float) -> np.ndarray:
    """Mean share of the counts in a square at some distances, over its orientations, shape (n,).

    Parameters
    ----------
    distance : ndarray, shape (n,)
        Of the middle of the square from the source, in radians.
    side : float
        In radians.
    psf : RadialPsf
    core : float
        As for `corner_shares`.
    """
    turn = (np.arange(_TURNS) + 0.5) * np.pi / (2 * _TURNS)
    angle = turn[:, None] + np.arange(4) * np.pi / 2
    corner = side / np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    middle = np.stack([distance, np.zeros_like(distance)], axis=-1)
    polygons = (middle[:, None, None] + corner).reshape(-1, 4, 2)
    return _in_polygons(polygons, _triangles(psf, core)).reshape(-1, _TURNS).mean(axis=1)
