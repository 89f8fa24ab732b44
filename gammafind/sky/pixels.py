"""Pixelisations: the positions of the values of a map on the sky."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_area, wcs_to_celestial_frame
from scipy.spatial import cKDTree

from gammafind.errors import OptionError
from gammafind.sky.projection import north_up, unit_vectors

FRAMES = ("galactic", "icrs", "fk5")
"""Celestial frames of maps, all without further attributes."""
_TREE_NSIDE = 256
"""Finest tree of pixel centres: balances memory for the tree and children per query."""
_CHUNK = 500_000
"""Positions per step of an interpolation: limits memory."""
UNSEEN = -1.6375e30
"""Value of pixels without data in files, as in healpy."""
CONVEX = ("TAN", "SIN", "STG", "ARC", "ZEA", "TPV", "SIP")
"""Projections with a convex sky: the whole area between the corners of an image is sky."""


def nsides_of(sizes: np.ndarray, limits: tuple[int, int]) -> np.ndarray:
    """HEALPix nsides whose pixels are at most as wide as ``sizes`` in degrees, within limits."""
    exact = np.sqrt(np.pi / 3) / np.radians(sizes)
    return np.clip(2 ** np.ceil(np.log2(exact) - 1e-6), *limits).astype(int)


@dataclass(frozen=True)
class HealpixPixels:
    """The whole sphere in HEALPix pixels, RING order.

    Parameters
    ----------
    nside : int
        Power of two.
    frame : {"galactic", "icrs", "fk5"}
        Coordinate frame of the poles.

    Examples
    --------
    >>> from gammafind import HealpixPixels
    >>> HealpixPixels(128).shape
    (196608,)
    """

    nside: int
    frame: str = "galactic"

    celestial: ClassVar[bool] = True
    """Whether positions are positions on the sky; False for an image without a WCS."""

    def __post_init__(self) -> None:
        if self.nside < 1 or self.nside & (self.nside - 1):
            raise OptionError(f"nside is {self.nside}", remedy="It must be a power of two.")
        if self.frame not in FRAMES:
            raise OptionError(
                f"frame is {self.frame!r}", remedy=f"Accepted are {', '.join(FRAMES)}."
            )

    @property
    def shape(self) -> tuple[int]:
        """Shape of a map on these pixels, ``(12 nside**2,)``."""
        return (12 * self.nside**2,)

    @property
    def pixel_area(self) -> Quantity:
        """Solid angle of a pixel."""
        return 4 * np.pi / self.shape[0] * u.sr

    @property
    def pixel_size(self) -> Quantity:
        """Square root of the solid angle of a pixel."""
        return np.sqrt(self.pixel_area).to(u.deg, equivalencies=u.dimensionless_angles())

    @cached_property
    def vectors(self) -> np.ndarray:
        """Unit vectors of the pixel centres in ``frame``, shape (n_pixels, 3)."""
        import healpy as hp

        return np.stack(hp.pix2vec(self.nside, np.arange(self.shape[0])), axis=-1)

    def at(self, index: np.ndarray) -> np.ndarray:
        """Unit vectors of the centres of some pixels, shape (..., 3)."""
        import healpy as hp

        return np.stack(hp.pix2vec(self.nside, index), axis=-1)

    def subpixel_vectors(self, index: np.ndarray, n: int) -> np.ndarray:
        """Unit vectors of ``n`` x ``n`` sub-pixels, ``n`` a power of two."""
        import healpy as hp

        nested = hp.ring2nest(self.nside, index)
        children = nested[:, None] * n**2 + np.arange(n**2)
        return np.stack(hp.pix2vec(self.nside * n, children, nest=True), axis=-1)

    def nearest(self, vectors: np.ndarray, k: int) -> np.ndarray:
        """RING indices of ``k`` pixels near each vector; more than ``k`` above nside 256.

        Above nside 256 the nearest parent pixels are found, and all their children returned.
        """
        import healpy as hp

        depth = max(1, self.nside // _TREE_NSIDE)
        parents = HealpixPixels(self.nside // depth, self.frame)
        count = k if depth == 1 else k // depth**2 + 5
        index = _nearest(parents.tree, vectors, count)
        if depth == 1:
            return index
        nested = hp.ring2nest(parents.nside, index)[..., None] * depth**2 + np.arange(depth**2)
        return hp.nest2ring(self.nside, nested).reshape(len(index), count * depth**2)

    def containing(self, vectors: np.ndarray) -> np.ndarray:
        """RING index of the pixel that contains each vector."""
        import healpy as hp

        return hp.vec2pix(self.nside, *np.moveaxis(np.asarray(vectors), -1, 0))

    @property
    def tree(self) -> cKDTree:
        """Tree of the pixel centres."""
        return _healpix_tree(self.nside)

    def centres(self) -> SkyCoord:
        """Positions of the pixel centres, shape (n_pixels,)."""
        import healpy as hp

        lon, lat = hp.pix2ang(self.nside, np.arange(self.shape[0]), lonlat=True)
        return SkyCoord(lon, lat, unit="deg", frame=self.frame)

    def pixel_of(self, positions: SkyCoord) -> np.ndarray:
        """RING index of the pixel that contains each position."""
        import healpy as hp

        return hp.ang2pix(self.nside, *_lonlat(positions, self.frame), lonlat=True)

    def interpolate(self, values: np.ndarray, positions: SkyCoord) -> np.ndarray:
        """Bilinear interpolation between the four nearest pixel centres."""
        import healpy as hp

        lon, lat = (np.ravel(axis) for axis in _lonlat(positions, self.frame))
        found = np.empty(lon.size)
        for start in range(0, lon.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            found[part] = hp.get_interp_val(values, lon[part], lat[part], lonlat=True)
        return found.reshape(positions.shape)


@dataclass(frozen=True, eq=False)
class WcsPixels:
    """The pixels of an image with a celestial WCS.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Celestial, two-dimensional.
    shape : tuple of int
        ``(ny, nx)``.

    Examples
    --------
    >>> from astropy.wcs import WCS
    >>> from gammafind import WcsPixels
    >>> wcs = WCS({"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN", "CDELT1": -0.1, "CDELT2": 0.1})
    >>> WcsPixels(wcs, (64, 32)).shape
    (64, 32)
    """

    wcs: WCS
    shape: tuple[int, int]

    celestial: ClassVar[bool] = True

    @cached_property
    def frame(self) -> str:
        """Name of the celestial frame of the WCS."""
        return wcs_to_celestial_frame(self.wcs).name

    @cached_property
    def pixel_area(self) -> Quantity:
        """Solid angle of a pixel at the reference point."""
        return (proj_plane_pixel_area(self.wcs) * u.deg**2).to(u.sr)

    @cached_property
    def pixel_size(self) -> Quantity:
        """Square root of the solid angle of a pixel at the reference point."""
        return np.sqrt(proj_plane_pixel_area(self.wcs)) * u.deg

    @cached_property
    def vectors(self) -> np.ndarray:
        """Unit vectors of the pixel centres in ``frame``, shape (ny * nx, 3); zero off the sky."""
        y, x = np.indices(self.shape)
        return self.at(x.ravel(), y.ravel())

    def containing(self, vectors: np.ndarray) -> np.ndarray:
        """Flat index of the nearest pixel."""
        return self.tree.query(vectors)[1]

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Unit vectors, shape (..., 3), of pixel coordinates (0 at the centre of the first).

        Off the sky they are zero, which is far from all positions.
        """
        sky = self.wcs.pixel_to_world(x, y).spherical
        return np.nan_to_num(unit_vectors(sky.lon.deg, sky.lat.deg))

    @property
    def on_sky(self) -> np.ndarray:
        """Which pixel centres are on the sky, shape ``(ny, nx)``; not the corners of Aitoff."""
        if self.wcs.wcs.ctype[0].endswith(CONVEX) and self._corners_on_sky():
            return np.broadcast_to(np.True_, self.shape)
        y, x = np.indices(self.shape)
        lon, lat = self.wcs.wcs_pix2world(x.ravel(), y.ravel(), 0)
        return (np.isfinite(lon) & np.isfinite(lat)).reshape(self.shape)

    def _corners_on_sky(self) -> bool:
        ny, nx = self.shape
        corners = self.wcs.wcs_pix2world([0, nx - 1, 0, nx - 1], [0, 0, ny - 1, ny - 1], 0)
        return bool(np.isfinite(corners).all())

    @cached_property
    def tree(self) -> cKDTree:
        """Tree of the pixel centres."""
        return cKDTree(self.vectors)

    def subpixel_vectors(self, index: np.ndarray, n: int) -> np.ndarray:
        """Unit vectors of ``n`` x ``n`` sub-pixels."""
        y, x = np.divmod(index, self.shape[1])
        step = (np.arange(n) - (n - 1) / 2) / n
        dy, dx = (offset.ravel() for offset in np.meshgrid(step, step, indexing="ij"))
        return self.at(x[:, None] + dx, y[:, None] + dy)

    def nearest(self, vectors: np.ndarray, k: int) -> np.ndarray:
        """Flat indices of the ``k`` nearest pixels, or of all if the image has fewer."""
        return _nearest(self.tree, vectors, min(k, self.shape[0] * self.shape[1]))

    def centres(self) -> SkyCoord:
        """Positions of the pixel centres, shape ``(ny, nx)``; a pole for those off the sky."""
        y, x = np.indices(self.shape)
        centres = self.wcs.pixel_to_world(x, y)
        lon, lat = centres.spherical.lon.deg, centres.spherical.lat.deg
        off = ~(np.isfinite(lon) & np.isfinite(lat))
        if not off.any():
            return centres
        lon, lat = np.where(off, 0, lon), np.where(off, 90, lat)
        return SkyCoord(lon, lat, unit="deg", frame=self.frame)

    def pixel_of(self, positions: SkyCoord) -> np.ndarray:
        """Flat index (row-major) of the pixel that contains each position, -1 outside."""
        x, y = self.xy(positions)
        column, row = np.floor(x + 0.5), np.floor(y + 0.5)
        inside = (column >= 0) & (column < self.shape[1]) & (row >= 0) & (row < self.shape[0])
        index = np.where(inside, row * self.shape[1] + column, -1)
        return index.astype(int)

    def xy(self, positions: SkyCoord) -> tuple[np.ndarray, np.ndarray]:
        """Pixel coordinates, 0 at the centre of the first pixel; NaN where not projected."""
        x, y = self.wcs.world_to_pixel(positions)
        return np.asarray(x, dtype=float), np.asarray(y, dtype=float)

    def interpolate(self, values: np.ndarray, positions: SkyCoord) -> np.ndarray:
        """Bilinear interpolation between the four nearest pixel centres, NaN outside.

        In the outer half of the border pixels the value at their centres is used.
        """
        from scipy.ndimage import map_coordinates

        inside = self.pixel_of(positions) >= 0
        x, y = (np.where(inside, axis, 0).ravel() for axis in self.xy(positions))
        found = map_coordinates(values, [y, x], order=1, mode="nearest")
        return np.where(inside, found.reshape(inside.shape), np.nan)


@dataclass(frozen=True, eq=False)
class PlainPixels(WcsPixels):
    """The pixels of an image without a WCS.

    Their WCS is a tangent plane at the origin, so distances are angles. Its positions are not
    positions on the sky.
    """

    celestial: ClassVar[bool] = False

    @classmethod
    def of(cls, shape: tuple[int, int], pixel_size: Quantity) -> PlainPixels:
        """Pixels of the same angular size.

        Parameters
        ----------
        shape : tuple of int
            ``(ny, nx)``.
        pixel_size : Quantity
            Side of a pixel.
        """
        wcs = north_up(["RA---TAN", "DEC--TAN"], [0, 0], shape, pixel_size.to_value(u.deg))
        wcs.wcs.set()
        return cls(wcs, tuple(shape))


Pixels = HealpixPixels | WcsPixels
"""A pixelisation: of the sphere, or of an image."""


def centre_vectors(pixels: Pixels, index: np.ndarray) -> np.ndarray:
    """Unit vectors of the centres of some pixels, shape (..., 3)."""
    return pixels.at(index) if isinstance(pixels, HealpixPixels) else pixels.vectors[index]


def _nearest(tree: cKDTree, vectors: np.ndarray, k: int) -> np.ndarray:
    return tree.query(vectors, k=np.arange(1, k + 1))[1]


@lru_cache(maxsize=8)
def _healpix_tree(nside: int) -> cKDTree:
    return cKDTree(HealpixPixels(nside).vectors)


def same_pixels(one: Pixels, other: Pixels) -> bool:
    """Whether two pixelisations have the same pixels at the same positions."""
    if one is other or not (isinstance(one, WcsPixels) and isinstance(other, WcsPixels)):
        return one == other
    if one.shape != other.shape or one.frame != other.frame:
        return False
    y, x = (axis.ravel() for axis in np.meshgrid(*(np.linspace(0, n - 1, 5) for n in one.shape)))
    here, there = (pixels.wcs.pixel_to_world(x, y) for pixels in (one, other))
    apart = (here.separation(there) / one.pixel_size).to_value(u.dimensionless_unscaled)
    on_sky = np.isfinite(here.spherical.lat), np.isfinite(there.spherical.lat)
    return np.array_equal(*on_sky) and bool(np.all(apart[on_sky[0]] < 1e-6))


def _lonlat(positions: SkyCoord, frame: str) -> tuple[np.ndarray, np.ndarray]:
    spherical = positions.transform_to(frame).spherical
    return spherical.lon.deg, spherical.lat.deg
