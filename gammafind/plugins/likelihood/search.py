"""Grids of positions on which a sky is searched, and a quick test statistic on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from gammafind.measure.data import BandData, SkyData
from gammafind.sky.harmonics import convolve
from gammafind.sky.patches import PatchGrid
from gammafind.sky.pixels import HealpixPixels, WcsPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf import RadialPsf
from gammafind.sky.stamps import stamps

__all__ = ["HealpixSearch", "ImageSearch", "SearchGrid", "search_grid"]


class SearchGrid(Protocol):
    """Positions to search."""

    @property
    def spacing(self) -> float:
        """Distance between neighbouring positions, in degrees."""

    def quick_ts(self, data: SkyData) -> np.ndarray:
        """Squared significance of the score (first derivative) at every position, flat."""

    def vectors(self, index: np.ndarray) -> np.ndarray:
        """Unit vectors of positions."""

    def tiles(self, values: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        """Two-dimensional maps that together show ``values``, each with its number."""

    def tile_vectors(self, tile: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Unit vectors of pixel coordinates in a tile."""


def search_grid(data: SkyData) -> SearchGrid:
    """Search grid that fits the pixels and the PSF of the finest band."""
    finest = min(data.bands, key=lambda band: band.pixels.pixel_area)
    if isinstance(finest.pixels, HealpixPixels):
        return HealpixSearch(finest)
    return ImageSearch(finest)


class HealpixSearch:
    """Centres of HEALPix pixels, at least two in a PSF core or in a pixel of the map.

    Parameters
    ----------
    finest : BandData
        The band with the smallest pixels.
    """

    def __init__(self, finest: BandData) -> None:
        coarse = finest.pixels.pixel_size > finest.psf.containment_radius(0.68)
        self.pixels = HealpixPixels(finest.pixels.nside * (2 if coarse else 1), finest.pixels.frame)
        self.grid = PatchGrid.healpix(frame=self.pixels.frame)
        size = self.pixels.pixel_size.to_value("deg")
        self.width = int(np.ceil(self.grid.pixel_size(1) / size))

    @property
    def spacing(self) -> float:
        """Distance between neighbouring positions, in degrees."""
        return float(self.pixels.pixel_size.to_value("deg"))

    def quick_ts(self, data: SkyData) -> np.ndarray:
        """Squared significance of the score at every position."""
        first = np.zeros(self.pixels.shape)
        information = np.zeros(self.pixels.shape)
        shares = data.shares(self.pixels.vectors)
        for i, band in enumerate(data.bands):
            kernel, squared = _windows(band, self.pixels.nside)
            excess = np.where(band.valid, band.counts / band.model - 1, 0)
            inverse = np.where(band.valid, 1 / band.model, 0)
            nside = band.pixels.nside
            first += shares[:, i] * convolve(excess, nside, kernel, self.pixels.nside)
            information += shares[:, i] ** 2 * convolve(inverse, nside, squared, self.pixels.nside)
        return _squared_significance(first, information)

    def vectors(self, index: np.ndarray) -> np.ndarray:
        """Unit vectors of positions."""
        return self.pixels.vectors[index]

    def tiles(self, values: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        """Patches of the sky that hold a positive value."""
        import healpy as hp

        occupied = np.unique(self.grid_tiles(np.flatnonzero(values > 0)))
        for tile in occupied:
            vectors = self.grid.pixel_vectors(tile, self.width).reshape(-1, 3)
            index = hp.vec2pix(self.pixels.nside, *vectors.T)
            yield values[index].reshape(self.width, self.width), int(tile)

    def grid_tiles(self, index: np.ndarray) -> np.ndarray:
        """Tile whose centre is nearest to each position."""
        from scipy.spatial import cKDTree

        tree = cKDTree(unit_vectors(self.grid.lon, self.grid.lat))
        return tree.query(self.vectors(index))[1]

    def tile_vectors(self, tile: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Unit vectors of pixel coordinates in a patch."""
        sky = self.grid.positions(np.full(len(x), tile), x, y, self.width)
        return unit_vectors(sky.spherical.lon.deg, sky.spherical.lat.deg)


class ImageSearch:
    """Pixel centres of an image.

    Parameters
    ----------
    finest : BandData
        The band with the smallest pixels.
    """

    def __init__(self, finest: BandData) -> None:
        self.pixels: WcsPixels = finest.pixels

    @property
    def spacing(self) -> float:
        """Distance between neighbouring positions, in degrees."""
        return float(self.pixels.pixel_size.to_value("deg"))

    def quick_ts(self, data: SkyData) -> np.ndarray:
        """Squared significance of the score at every pixel."""
        from scipy.signal import fftconvolve

        first = np.zeros(self.pixels.shape)
        information = np.zeros(self.pixels.shape)
        centres = self.pixels.centres()
        shares = data.shares(self.pixels.vectors).reshape(*self.pixels.shape, -1)
        for i, band in enumerate(data.bands):
            kernel = _kernel(band)
            shape = band.pixels.shape
            excess = np.where(band.valid, band.counts / band.model - 1, 0).reshape(shape)
            inverse = np.where(band.valid, 1 / band.model, 0).reshape(shape)
            score = fftconvolve(excess, kernel, mode="same")
            weight = fftconvolve(inverse, kernel**2, mode="same")
            if shape != self.pixels.shape:
                score, weight = (
                    np.nan_to_num(band.pixels.interpolate(array, centres))
                    for array in (score, weight)
                )
            first += shares[..., i] * score
            information += shares[..., i] ** 2 * weight
        return _squared_significance(first, information).ravel()

    def vectors(self, index: np.ndarray) -> np.ndarray:
        """Unit vectors of positions."""
        return self.pixels.vectors[index]

    def tiles(self, values: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        """The image itself."""
        yield values.reshape(self.pixels.shape), 0

    def tile_vectors(self, tile: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Unit vectors of pixel coordinates."""
        return self.pixels.at(x, y)


def _squared_significance(first: np.ndarray, information: np.ndarray) -> np.ndarray:
    floor = 1e-12 * information.max() if information.size else 0
    return np.where(first > 0, first**2 / np.maximum(information, floor + 1e-300), 0)


def _windows(band: BandData, nside_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Legendre transforms of the pixel-averaged PSF, and of its square, times pixel areas."""
    import healpy as hp
    from scipy.special import j1

    area = band.pixels.pixel_area.to_value("sr")
    lmax = min(6 * band.pixels.nside, 3 * nside_out)
    argument = np.arange(1, lmax + 1) * np.sqrt(area / np.pi)
    disc = np.concatenate([[1.0], 2 * j1(argument) / argument])
    window = band.psf.window(lmax) * disc
    reach = band.psf.containment_radius(0.99).to_value("rad") + 2 * np.sqrt(area)
    theta = np.linspace(0, min(reach, np.pi), 2000)
    profile = np.maximum(hp.bl2beam(window, theta), 0)
    square = RadialPsf(theta, profile**2)
    norm = profile.max() ** 2 / square.density.max()
    return window * area, square.window(lmax) * norm * area**2


def _kernel(band: BandData) -> np.ndarray:
    """Pixel-averaged PSF on an odd square of pixels."""
    ny, nx = band.pixels.shape
    middle = band.pixels.vectors[[(ny // 2) * nx + nx // 2]]
    stamp = stamps(middle, band.pixels, band.psf, containment=0.98)
    row, column = np.divmod(stamp.pixel[0], nx)
    row, column = row - ny // 2, column - nx // 2
    half = int(max(np.abs(row).max(), np.abs(column).max()))
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    kernel[row + half, column + half] = stamp.fraction[0]
    return kernel
