"""Grids of positions for the search of a sky, and a quick test statistic on them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import j1

from gammafind.fitting.photons.data import BandData, SkyData
from gammafind.sky.harmonics import analyse_map, synthesise
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels, centre_vectors
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import stamps

_CHUNK = 1_000_000
"""Pixels per step: limits memory."""
_NEGLIGIBLE = 1e-4
"""Size of multipoles at which a window is cut: balances accuracy and time."""


def search_grid(data: SkyData) -> SearchGrid:
    """Search grid that matches the pixels and the PSF of the finest band."""
    finest = min(data.bands, key=lambda band: band.pixels.pixel_area)
    if isinstance(finest.pixels, HealpixPixels):
        return HealpixSearch(finest)
    return ImageSearch(finest)


def summits(grid: SearchGrid, values: np.ndarray, least: float) -> np.ndarray:
    """Indices of the positions above ``least`` without a higher neighbour."""
    promising = np.flatnonzero(values > least)
    around = grid.neighbours(promising)
    highest = np.where(around >= 0, values[around], 0).max(axis=1, initial=0)
    return promising[values[promising] >= highest]


class _Centres:
    """Centres of pixels that are searched."""

    pixels: Pixels

    @property
    def spacing(self) -> float:
        """Distance between neighbouring positions, in degrees."""
        return float(self.pixels.pixel_size.to_value("deg"))

    def vectors(self, index: np.ndarray) -> np.ndarray:
        """Unit vectors of positions."""
        return centre_vectors(self.pixels, index)


class HealpixSearch(_Centres):
    """Centres of HEALPix pixels, at least two per PSF core or pixel of the map.

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
        self._shares: list[np.ndarray] = []

    def quick_ts(self, data: SkyData) -> np.ndarray:
        """Squared significance of the score at every position.

        The shares of the bands are those at the pixel, not at the source. So all bands can be
        summed as harmonics, and the shares change little from one to the other.
        """
        self._shares = self._shares or [_shares_at_pixels(data, i) for i in range(len(data.bands))]
        first, information = [], []
        for share, band in zip(self._shares, data.bands, strict=True):
            kernel, squared = _windows(band.psf, band.pixels.nside, self.pixels.nside)
            excess = np.where(band.valid, band.counts / band.model - 1, 0)
            inverse = np.where(band.valid, 1 / band.model, 0)
            first.append(analyse_map(share * excess, band.pixels.nside, kernel))
            information.append(analyse_map(share**2 * inverse, band.pixels.nside, squared))
        return _squared_significance(
            *(synthesise(_sum(alms), self.pixels.nside) for alms in (first, information))
        )

    def neighbours(self, index: np.ndarray) -> np.ndarray:
        """Eight neighbours of positions, -1 if there is none."""
        import healpy as hp

        return hp.get_all_neighbours(self.pixels.nside, index).T

    def tiles(self, values: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        """Patches of the sky that contain a positive value."""
        import healpy as hp

        occupied = np.unique(self.grid_tiles(np.flatnonzero(values > 0)))
        for tile in occupied:
            vectors = self.grid.pixel_vectors(tile, self.width).reshape(-1, 3)
            index = hp.vec2pix(self.pixels.nside, *vectors.T)
            yield values[index].reshape(self.width, self.width), int(tile)

    def grid_tiles(self, index: np.ndarray) -> np.ndarray:
        """Tile with the nearest centre for each position."""
        tree = cKDTree(unit_vectors(self.grid.lon, self.grid.lat))
        return tree.query(self.vectors(index))[1]

    def tile_vectors(self, tile: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Unit vectors of pixel coordinates in a patch."""
        sky = self.grid.positions(np.full(len(x), tile), x, y, self.width)
        return unit_vectors(sky.spherical.lon.deg, sky.spherical.lat.deg)


class ImageSearch(_Centres):
    """Pixel centres of an image.

    Parameters
    ----------
    finest : BandData
        The band with the smallest pixels.
    """

    def __init__(self, finest: BandData) -> None:
        self.pixels: WcsPixels = finest.pixels

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

    def tiles(self, values: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        """The image itself."""
        yield values.reshape(self.pixels.shape), 0

    def neighbours(self, index: np.ndarray) -> np.ndarray:
        """Eight neighbours of pixels, -1 beyond the border."""
        height, width = self.pixels.shape
        y, x = (axis[:, None] for axis in np.divmod(index, width))
        dy, dx = np.delete(np.indices((3, 3)).reshape(2, 9) - 1, 4, axis=1)
        inside = (y + dy >= 0) & (y + dy < height) & (x + dx >= 0) & (x + dx < width)
        return np.where(inside, (y + dy) * width + x + dx, -1)

    def tile_vectors(self, tile: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Unit vectors of pixel coordinates."""
        return self.pixels.at(x, y)


SearchGrid = HealpixSearch | ImageSearch
"""Positions that are searched."""


def _squared_significance(first: np.ndarray, information: np.ndarray) -> np.ndarray:
    floor = 1e-12 * information.max() if information.size else 0
    return np.where(first > 0, first**2 / np.maximum(information, floor + 1e-300), 0)


def _sum(alms: list[np.ndarray]) -> np.ndarray:
    """Sum of harmonics with different maximum multipoles."""
    import healpy as hp

    lmaxs = [hp.Alm.getlmax(alm.size) for alm in alms]
    highest = max(lmaxs)
    return sum(
        hp.resize_alm(alm, lmax, lmax, highest, highest)
        for alm, lmax in zip(alms, lmaxs, strict=True)
    )


def _shares_at_pixels(data: SkyData, number: int) -> np.ndarray:
    """Share of one band in the counts of a source, at each pixel of the band."""
    pixels = data.bands[number].pixels
    everything = np.arange(pixels.shape[0])
    parts = np.array_split(everything, len(everything) // _CHUNK + 1)
    return np.concatenate([data.shares(pixels.at(part))[:, number] for part in parts])


@lru_cache(maxsize=16)
def _windows(psf: RadialPsf, nside: int, nside_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Legendre transforms of the pixel-averaged PSF, and of its square, times pixel areas.

    They are cut where they are negligible, or at the resolution of the maps.
    """
    import healpy as hp

    area = 4 * np.pi / (12 * nside**2)
    lmax = min(6 * nside, 3 * nside_out)
    argument = np.arange(1, lmax + 1) * np.sqrt(area / np.pi)
    disc = np.concatenate([[1.0], 2 * j1(argument) / argument])
    window = psf.window(lmax) * disc
    reach = psf.containment_radius(0.99).to_value("rad") + 2 * np.sqrt(area)
    theta = np.linspace(0, min(reach, np.pi), 2000)
    profile = np.maximum(hp.bl2beam(window, theta), 0)
    square = RadialPsf(theta, profile**2)
    norm = profile.max() ** 2 / square.density.max()
    squared = square.window(lmax)
    return _relevant(window) * area, _relevant(squared) * norm * area**2


def _relevant(window: np.ndarray) -> np.ndarray:
    """Multipoles up to the last relevant one."""
    return window[: np.flatnonzero(np.abs(window) > _NEGLIGIBLE)[-1] + 1]


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
