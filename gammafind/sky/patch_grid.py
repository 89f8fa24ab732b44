"""Square tangent-plane patches that cover the sky: their grid, and cutting maps into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity
from astropy.wcs import WCS
from scipy.spatial import cKDTree

from gammafind.errors import OptionError, ShapeError
from gammafind.sky.harmonics import angles_of
from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels
from gammafind.sky.projection import (
    deproject,
    north_up,
    positions_of,
    project,
    tangent_basis,
    unit_vectors,
    vectors_in,
)
from gammafind.sky.scatter import scatter_counts
from gammafind.sky.skymap import SkyMap
from gammafind.sky.upsample import interpolated
from gammafind.units import degrees
from gammafind.utils.workers import in_threads

_MOST_NODES = 64
"""Points a side of a patch at which smooth maps are interpolated: limits time, and is finer than
such maps."""
_AT_ONCE = 16
"""Patches per step of the computation of pixel positions: limits memory."""


@dataclass(frozen=True, eq=False)
class PatchGrid:
    """Centres and size of square patches, each in the TAN projection, north up.

    Parameters
    ----------
    lon, lat : ndarray, shape (n,)
        Patch centres in degrees, in ``frame``.
    size : Quantity
        Side of a patch.
    frame : str
        Celestial frame, ``"galactic"`` by default.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 3.1.

    Examples
    --------
    >>> from gammafind import PatchGrid
    >>> grid = PatchGrid.healpix(8)
    >>> len(grid), grid.size
    (768, <Quantity 12.8 deg>)
    """

    lon: np.ndarray
    lat: np.ndarray
    size: Quantity = 12.8 * u.deg
    frame: str = "galactic"

    @classmethod
    def healpix(
        cls,
        nside: int = 8,
        *,
        size: Quantity = 12.8 * u.deg,
        frame: str = "galactic",
        rotation: np.ndarray | None = None,
    ) -> PatchGrid:
        """Centre one patch on each HEALPix pixel of ``nside``.

        Parameters
        ----------
        nside : int
            8 gives the 768 patches of the paper.
        size : Quantity
            11.75 deg or more leave no gap at ``nside=8``.
        frame : str
        rotation : ndarray, shape (3, 3), optional
            Rotation matrix that is applied to the centres.
        """
        vectors = HealpixPixels(nside, frame).vectors
        if rotation is not None:
            vectors = vectors @ np.asarray(rotation).T
        centres = positions_of(vectors, frame).spherical
        return cls(centres.lon.deg, centres.lat.deg, size, frame)

    def __len__(self) -> int:
        return len(self.lon)

    def __getitem__(self, rows: slice | np.ndarray) -> PatchGrid:
        """A grid with some of the patches."""
        return replace(self, lon=self.lon[rows], lat=self.lat[rows])

    @property
    def centres(self) -> SkyCoord:
        """Patch centres, shape (n,)."""
        return SkyCoord(self.lon, self.lat, unit="deg", frame=self.frame)

    @cached_property
    def bases(self) -> np.ndarray:
        """East, north and outward vectors of each patch, shape (n, 3, 3)."""
        return tangent_basis(self.lon, self.lat)

    def pixel_size(self, n_pixels: int) -> float:
        """Side of a pixel at the centre, in degrees, for patches of ``n_pixels``."""
        return float(degrees(self.size, name="size")) / n_pixels

    def wcs(self, index: int, n_pixels: int) -> WCS:
        """WCS of patch ``index`` with ``n_pixels`` a side."""
        prefix = ("GLON", "GLAT") if self.frame == "galactic" else ("RA--", "DEC-")
        names, centre = [f"{name}-TAN" for name in prefix], [self.lon[index], self.lat[index]]
        wcs = north_up(names, centre, (n_pixels, n_pixels), self.pixel_size(n_pixels))
        wcs.wcs.lonpole = 180
        if self.frame != "galactic":
            wcs.wcs.radesys = self.frame.upper()
        wcs.wcs.set()
        return wcs

    def pixels(self, index: int, n_pixels: int) -> WcsPixels:
        """Pixelisation of patch ``index`` with ``n_pixels`` a side."""
        return WcsPixels(self.wcs(index, n_pixels), (n_pixels, n_pixels))

    def pixel_vectors(self, index: int, n_pixels: int) -> np.ndarray:
        """Unit vectors of the pixel centres of a patch, shape (n_pixels, n_pixels, 3)."""
        offset = (np.arange(n_pixels) - (n_pixels - 1) / 2) * self.pixel_size(n_pixels)
        east, north = np.meshgrid(-offset, offset)
        return deproject(east, north, self.bases[index])

    def angles(self, chosen: np.ndarray, n_pixels: int) -> np.ndarray:
        """Colatitudes and longitudes in radians of the pixel centres of some patches.

        Returns
        -------
        ndarray, shape (len(chosen), n_pixels, n_pixels, 2)
        """
        y, x = np.indices((n_pixels, n_pixels))
        plane = self._plane(x, y, n_pixels)
        local = plane / np.linalg.norm(plane, axis=-1, keepdims=True)
        return angles_of(np.einsum("yxi,pij->pyxj", local, self.bases[chosen]))

    def pixel_areas(self, x: np.ndarray, y: np.ndarray, n_pixels: int) -> np.ndarray:
        """Solid angles in sr of the pixels at ``x``, ``y``: cos^3 of the centre distance."""
        step = np.radians(self.pixel_size(n_pixels))
        middle = (n_pixels - 1) / 2
        square = ((x - middle) ** 2 + (y - middle) ** 2) * step**2
        return step**2 * (1 + square) ** -1.5

    def _plane(self, x: np.ndarray, y: np.ndarray, n_pixels: int) -> np.ndarray:
        """Points of the tangent plane, shape (..., 3): east, north, and one outward."""
        step, middle = np.radians(self.pixel_size(n_pixels)), (n_pixels - 1) / 2
        east, north = -(np.asarray(x) - middle) * step, (np.asarray(y) - middle) * step
        return np.stack([east, north, np.ones_like(east)], axis=-1)

    def xy(self, index: int, vectors: np.ndarray, n_pixels: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixel coordinates (0 at the centre of the first pixel) of unit vectors in a patch."""
        east, north = project(vectors, self.bases[index])
        step, middle = self.pixel_size(n_pixels), (n_pixels - 1) / 2
        return middle - east / step, middle + north / step

    def positions(self, patch: np.ndarray, x: np.ndarray, y: np.ndarray, n_pixels: int) -> SkyCoord:
        """Sky positions of pixel coordinates ``x``, ``y`` in the patches ``patch``, all (n,)."""
        plane = self._plane(x, y, n_pixels)
        vectors = np.einsum("ni,nij->nj", plane, self.bases[np.asarray(patch, dtype=int)])
        lon = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])) % 360
        lat = np.degrees(np.arctan2(vectors[:, 2], np.hypot(vectors[:, 0], vectors[:, 1])))
        return SkyCoord(lon, lat, unit="deg", frame=self.frame)

    def members(
        self, vectors: np.ndarray, n_pixels: int, *, margin: float = 0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Find the patches that contain each position, and the pixel coordinates there.

        Parameters
        ----------
        vectors : ndarray, shape (n, 3)
            Unit vectors in ``frame``.
        n_pixels : int
            Pixels per side.
        margin : float
            Pixels outside the border that still count as inside a patch.

        Returns
        -------
        patch, index : ndarray of int, shape (m,)
            Patch and row of ``vectors``, ordered by patch, then by row.
        x, y : ndarray, shape (m,)
            Pixel coordinates, 0 at the centre of the first pixel.
        """
        step = np.radians(self.pixel_size(n_pixels))
        corner = np.arctan(np.sqrt(2) * step * (n_pixels / 2 + margin))
        reach = 2 * np.sin(corner / 2) * (1 + 1e-9)
        found = cKDTree(vectors).query_ball_point(self.bases[:, 2], reach, return_sorted=True)
        patch = np.repeat(np.arange(len(self)), [len(rows) for rows in found])
        index = np.array([row for rows in found for row in rows], dtype=int)
        plane = np.einsum("nij,nj->in", self.bases[patch], vectors[index])
        middle = (n_pixels - 1) / 2
        x, y = middle - plane[0] / plane[2] / step, middle + plane[1] / plane[2] / step
        low, high = -0.5 - margin, n_pixels - 0.5 + margin
        inside = (x >= low) & (x < high) & (y >= low) & (y < high)
        return patch[inside], index[inside], x[inside], y[inside]

    def nearest(self, positions: SkyCoord) -> np.ndarray:
        """Index of the patch whose centre is nearest to each position, shape (n,)."""
        here = vectors_in(self.frame, positions)
        return cKDTree(unit_vectors(self.lon, self.lat)).query(here)[1]

    def cut(
        self,
        sky: SkyMap,
        n_pixels: Sequence[int],
        *,
        sharp: bool = False,
        rng: np.random.Generator | None = None,
    ) -> tuple[np.ndarray, ...]:
        """Cut every patch from a HEALPix map.

        Counts remain integers with Poisson statistics: each photon is placed at random within its
        HEALPix pixel and binned. Expected counts and exposures are interpolated; expected counts
        are scaled by the ratio of pixel areas.

        Parameters
        ----------
        sky : SkyMap
            On HEALPix pixels of this grid's frame.
        n_pixels : sequence of int
            Pixels per side, one number per band.
        sharp : bool
            Interpolate at each pixel, as needed for a map with sources. Otherwise interpolate at no
            more than 64 points per side.
        rng : numpy.random.Generator
            Required for counts.

        Returns
        -------
        tuple of ndarray
            One array per band, shape (n, n_pixels, n_pixels), float32.
        """
        if len(n_pixels) != sky.n_bands:
            raise ShapeError(f"{len(n_pixels)} patch widths for {sky.n_bands} bands")
        if sky.kind == "counts" and rng is None:
            raise OptionError("cutting counts needs a random generator", remedy="Pass rng=.")
        self._check(sky)
        if sky.kind == "counts":
            return self._scattered(sky, n_pixels, rng)
        return self._smooth(sky, n_pixels, sharp)

    def _scattered(
        self, sky: SkyMap, n_pixels: Sequence[int], rng: np.random.Generator
    ) -> tuple[np.ndarray, ...]:
        """Photons of a map in every patch, with a separate generator for each band."""
        generators = rng.spawn(sky.n_bands)

        def of_band(i: int) -> np.ndarray:
            nside, width = sky.pixels[i].nside, n_pixels[i]
            return scatter_counts(sky.values[i], nside, self, width, rng=generators[i])

        return tuple(in_threads(of_band, range(sky.n_bands)))

    def _smooth(self, sky: SkyMap, n_pixels: Sequence[int], sharp: bool) -> tuple[np.ndarray, ...]:
        """A map interpolated in every patch."""
        points = [width if sharp else min(width, _MOST_NODES) for width in n_pixels]
        nodes = {n: self._nodes(n) for n in set(points)}

        def of_band(i: int) -> np.ndarray:
            patches = interpolated(sky.values[i], nodes[points[i]], n_pixels[i])
            if sky.kind != "expected counts":
                return patches
            return np.maximum(patches, 0) * self._area_ratios(sky.pixels[i], n_pixels[i])

        return tuple(in_threads(of_band, range(sky.n_bands)))

    def _check(self, sky: SkyMap) -> None:
        for pixels in sky.pixels:
            if not isinstance(pixels, HealpixPixels) or pixels.frame != self.frame:
                raise OptionError(
                    f"patches in {self.frame} coordinates cannot be cut from {pixels!r}",
                    remedy="The map must be HEALPix in the frame of the patch grid.",
                )

    def _area_ratios(self, pixels: HealpixPixels, width: int) -> np.ndarray:
        """Ratio of pixel areas of a patch to those of a map, shape (width, width), float32."""
        y, x = np.indices((width, width))
        areas = self.pixel_areas(x, y, width) / pixels.pixel_area.to_value(u.sr)
        return areas.astype(np.float32)

    def _nodes(self, n_pixels: int) -> np.ndarray:
        """Colatitudes and longitudes of all pixel centres, shape (n, 2, n_pixels, n_pixels).

        Cached for few sizes: the maps of all bands are interpolated there.
        """
        if n_pixels in self._kept_nodes:
            return self._kept_nodes[n_pixels]

        def angles(rows: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(np.moveaxis(self.angles(rows, n_pixels), -1, 1))

        parts = np.array_split(np.arange(len(self)), len(self) // _AT_ONCE + 1)
        nodes = np.concatenate(list(in_threads(angles, parts)))
        if n_pixels <= _MOST_NODES:
            self._kept_nodes[n_pixels] = nodes
        return nodes

    @cached_property
    def _kept_nodes(self) -> dict[int, np.ndarray]:
        return {}


def patch_widths(pixels: Sequence[Pixels], grid: PatchGrid) -> tuple[int, ...]:
    """Pixels per side of a patch in each band: powers of two, as fine as the pixels of a map."""
    sizes = [one.pixel_size.to_value("deg") for one in pixels]
    return tuple(int(2 ** np.ceil(np.log2(grid.pixel_size(1) / size))) for size in sizes)
