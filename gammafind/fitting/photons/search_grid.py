"""Positions for the search of a sky, and a quick test statistic on them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import fft
from scipy.ndimage import maximum_filter

from gammafind.fitting.photons.data import BandData, SkyData, near_a_pixel, source_sizes
from gammafind.fitting.photons.deposit import Deposit
from gammafind.fitting.photons.search_tiles import SearchTiles, sampled_vectors
from gammafind.sky.corner_shares import square_shares
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf_stamps import psf_core
from gammafind.utils.workers import in_threads

_REACH, _FARTHEST = 0.9, 4.0
"""Share of the counts of a source that the quick TS uses, and largest radius in degrees: balance
signal and time."""
_ROUNDING = 1e-13
"""Relative rounding error of a filtered map."""
_PROBES = 500
"""Places at which the size of a source is taken."""
_MOST_KEPT = 40_000_000
"""Positions times bands up to which the pixels at them are kept: limits memory to 0.2 GB."""
_STEPS = (0.45, 0.25)
"""Distance of positions in r68 of the PSF, and at least in sizes of a source with its pixel:
balances faint neighbours and time (benchmarks/real_sky.py)."""


class SearchGrid:
    """Positions on tiles that cover the valid part of a sky.

    A position is a whole number: tile, row and column.

    Parameters
    ----------
    data : SkyData
    coarser : float
        Factor by which the positions are farther apart than needed for faint sources.
    """

    def __init__(self, data: SkyData, *, coarser: float = 1.0) -> None:
        self.spacing = coarser * _spacing(data)
        margin = max(_reach(band) for band in data.bands) + self.spacing
        self.tiles = SearchTiles.of(data, spacing=self.spacing, margin=margin)
        self.width = self.tiles.width
        self._size = fft.next_fast_len(self.width, real=True)
        self._filters = [_Filter(band, self.spacing, self._size) for band in data.bands]
        self._deposits = [
            Deposit(band, self.tiles) if one.fine else None
            for band, one in zip(data.bands, self._filters, strict=True)
        ]
        size = len(self.tiles) * self.width**2 * len(data.bands)
        self._kept = size < _MOST_KEPT
        self._places: dict[int, tuple[list[np.ndarray], list[np.ndarray]]] = {}

    def summits(self, data: SkyData, least: float) -> tuple[np.ndarray, np.ndarray]:
        """Positions where the quick TS is above ``least`` and has a maximum, and its values."""
        found = in_threads(lambda tile: self._summits(data, tile, least), range(len(self.tiles)))
        index, quick = zip(*found, strict=True)
        return np.concatenate(index), np.concatenate(quick)

    def vectors(self, index: np.ndarray) -> np.ndarray:
        """Unit vectors of positions, shape (n, 3)."""
        tile, place = np.divmod(index, self.width**2)
        y, x = np.divmod(place, self.width)
        sky = self.tiles.grid.positions(tile, x, y, self.width).spherical
        return unit_vectors(sky.lon.deg, sky.lat.deg)

    def neighbours(self, index: np.ndarray) -> np.ndarray:
        """Eight neighbours of positions, shape (n, 8), -1 beyond the border of a tile."""
        tile, place = (axis[:, None] for axis in np.divmod(index, self.width**2))
        y, x = np.divmod(place, self.width)
        dy, dx = np.delete(np.indices((3, 3)).reshape(2, 9) - 1, 4, axis=1)
        y, x = y + dy, x + dx
        inside = (y >= 0) & (y < self.width) & (x >= 0) & (x < self.width)
        return np.where(inside, (tile * self.width + y) * self.width + x, -1)

    def images(self, index: np.ndarray, values: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
        """Images of the tiles that have one of the positions, with its values, 0 elsewhere."""
        tile, place = np.divmod(index, self.width**2)
        for number in np.unique(tile):
            chosen = tile == number
            image = np.zeros(self.width**2)
            image[place[chosen]] = values[chosen]
            yield image.reshape(self.width, self.width), int(number)

    def tile_vectors(self, tile: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Unit vectors of pixel coordinates in a tile."""
        sky = self.tiles.grid.positions(np.full(len(x), tile), x, y, self.width).spherical
        return unit_vectors(sky.lon.deg, sky.lat.deg)

    def quick_ts(self, data: SkyData, tile: int) -> np.ndarray:
        """Approximate TS of one more source at each position of a tile, shape (width, width).

        Notes
        -----
        The slope of the log-likelihood and its information are filtered maps. As if the source were
        in a single pixel with this information, they give a likelihood ratio, so that few photons
        on almost no background do not have a huge TS.
        """
        first = information = 0.0
        least = np.zeros((self.width, self.width))
        places, seen = self._places_in(data, tile)
        sensitivity = [b.sensitivity(p) for b, p in zip(data.bands, places, strict=True)]
        total = np.maximum(sum(sensitivity), 1e-300)
        for i, (band, one) in enumerate(zip(data.bands, self._filters, strict=True)):
            place, share = places[i], sensitivity[i] / total
            weight = np.where(seen[i], share / band.model[place], 0)
            if one.fine:
                excess = share * self._deposits[i].image(band, tile, seen[i])
            else:
                excess = one.area * (band.counts[place] * weight - share * seen[i])
            if band.weight is not None:
                heavy = band.weights(place)
                excess, weight = heavy * excess, heavy * weight
            first = first + self._transformed(excess) * one.kernel
            information = information + self._transformed(share * weight) * one.squared
            least = np.maximum(least, share * weight * one.highest**2)
        slope, information = (self._returned(each) for each in (first, information))
        least = np.maximum(least, _ROUNDING * information.max())
        ts = _ratio(slope, np.maximum(information, least), self._sharpness)
        return np.where(np.any(seen, axis=0), ts, 0)

    @property
    def _sharpness(self) -> float:
        return max(one.sharpness for one in self._filters)

    def _summits(self, data: SkyData, tile: int, least: float) -> tuple[np.ndarray, np.ndarray]:
        quick = self.quick_ts(data, tile)
        y, x = np.nonzero((quick > least) & (quick >= maximum_filter(quick, 3)))
        owned = self.tiles.owned(tile, self.tile_vectors(tile, x, y))
        y, x = y[owned], x[owned]
        return (tile * self.width + y) * self.width + x, quick[y, x]

    def _places_in(self, data: SkyData, tile: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Place of the pixel of each band at each position of a tile, and whether it is valid."""
        if tile in self._places:
            return self._places[tile]
        vectors = self.tiles.grid.pixel_vectors(tile, self.width).reshape(-1, 3)
        shape = (self.width, self.width)
        places, seen = data.containing(vectors), []
        for band, place in zip(data.bands, places, strict=True):
            inside = band.valid[place] & near_a_pixel(band.pixels, vectors, place)
            seen.append(inside.reshape(shape))
        places = [place.reshape(shape) for place in places]
        if self._kept:
            self._places[tile] = [place.astype(np.int32) for place in places], seen
        return places, seen

    def _transformed(self, image: np.ndarray) -> np.ndarray:
        return fft.rfft2(image, (self._size, self._size))

    def _returned(self, image: np.ndarray) -> np.ndarray:
        return fft.irfft2(image, (self._size, self._size))[: self.width, : self.width]


class _Filter:
    """Transforms of the PSF of a band averaged over pixels, and of its square."""

    def __init__(self, band: BandData, spacing: float, size: int) -> None:
        pixel, step = float(np.sqrt(band.pixels.pixel_area.to_value("sr"))), np.radians(spacing)
        self.fine = pixel < step
        """Whether several pixels of the map are in one of the tile."""
        self.area = step**2 / pixel**2
        """Pixels of the map per pixel of the tile."""
        reach = int(np.ceil(_reach(band) / spacing))
        offset = np.minimum(np.arange(size), size - np.arange(size))
        distance = np.hypot(offset[:, None], offset) * step
        near = distance <= reach * step

        def averaged(width: float) -> np.ndarray:
            nodes = np.linspace(0, (reach + 1) * step, 300)
            shares = square_shares(nodes, width, band.psf, psf_core(band.psf))
            return np.where(near, np.interp(distance, nodes, shares), 0) * (pixel / width) ** 2

        kernel, share = averaged(step), averaged(pixel)
        self.kernel = fft.rfft2(kernel)
        self.squared = fft.rfft2(share**2 * self.area)
        self.highest = float(share.max())
        """Largest share of a source in a pixel."""
        self.sharpness = float(np.clip((share**2).sum() * self.area / share.max(), 0.1, 1))
        """Mean share of its photons in the pixels of its photons, over the largest."""


def _spacing(data: SkyData) -> float:
    """Distance of positions in degrees, for a faint source at a typical place of the sky."""
    vectors = np.concatenate([sampled_vectors(band, _PROBES) for band in data.bands])
    of_psf, of_size = _STEPS
    psf, size = (np.median(source_sizes(data, vectors, pixel=pixel)) for pixel in (False, True))
    return float(max(of_psf * psf, of_size * size))


def _reach(band: BandData) -> float:
    """Radius in degrees of the kernel of a band."""
    radius = band.psf.containment_radius(_REACH).to_value("deg")
    return min(radius, _FARTHEST) + band.pixels.pixel_size.to_value("deg")


def _ratio(slope: np.ndarray, information: np.ndarray, sharpness: float) -> np.ndarray:
    """Likelihood ratio of a source with a share ``sharpness`` of its counts in a single pixel."""
    background = sharpness**2 / np.maximum(information, 1e-300)
    excess = np.maximum(slope, 0) / sharpness
    with np.errstate(over="ignore", invalid="ignore"):
        ts = 2 * background * ((1 + excess) * np.log1p(excess) - excess)
    return np.where(np.isfinite(ts) & (information > 0), ts, 0)
