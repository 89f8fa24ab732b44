"""Bands with fine pixels, summed over the larger pixels of search tiles."""

from __future__ import annotations

import numpy as np

from gammafind.fitting.photons.data import BandData
from gammafind.fitting.photons.search_tiles import SearchTiles
from gammafind.sky.pixels import HealpixPixels

_CELLS = HealpixPixels(8)
"""Parts of the sky by which pixels with counts are sorted."""
_FEW, _SAMPLE = 0.3, 100_000
"""Expected counts a pixel below which the pattern of the pixels is far below the noise, and number
of pixels whose median they are."""
_CELL_RADIUS = 7.0
"""Largest distance in degrees of a position from the centre of its cell, with some room."""


class Deposit:
    """Excess of a band in the pixels of tiles.

    Each pixel of the map belongs to the pixel of the tile that contains its centre. Counts and
    pixels are summed in the same way, so that their pattern cancels, unless the noise hides it.

    Parameters
    ----------
    band : BandData
    tiles : SearchTiles
    """

    def __init__(self, band: BandData, tiles: SearchTiles) -> None:
        place = np.flatnonzero(band.counts)
        vectors = band.vectors(place)
        cell = _CELLS.containing(vectors)
        order = np.argsort(cell, kind="stable")
        self._place = place[order].astype(np.int32)
        self._vectors = vectors[order].astype(np.float32)
        self._start = np.searchsorted(cell[order], np.arange(_CELLS.shape[0] + 1))
        self._tiles = tiles
        self._area = tiles.spacing**2 / band.pixels.pixel_area.to_value("deg2")
        some = band.model[:: len(band.model) // _SAMPLE + 1]
        self._exact = np.median(some) > _FEW
        self._pixels: dict[int, np.ndarray] = {}

    def image(self, band: BandData, tile: int, seen: np.ndarray) -> np.ndarray:
        """Counts over expected counts minus one, summed over valid pixels, shape (width, width).

        Parameters
        ----------
        band : BandData
        tile : int
        seen : ndarray of bool, shape (width, width)
            Where the centres of the pixels of the tile are valid.
        """
        cells = np.flatnonzero(_CELLS.vectors @ self._centre(tile) > self._cosine(_CELL_RADIUS))
        rows = np.concatenate([np.arange(*self._start[[c, c + 1]]) for c in cells])
        where, inside = self._where(tile, self._vectors[rows].astype(float))
        place = self._place[rows[inside]]
        ratio = np.where(band.valid[place], band.counts[place] / band.model[place], 0)
        number = self._number(band, tile) if self._exact else self._area * seen
        return self._image(where, ratio) - number

    def _number(self, band: BandData, tile: int) -> np.ndarray:
        """Number of valid pixels of the map in each pixel of a tile."""
        if tile not in self._pixels:
            place = self._places_near(band, tile)
            place = place[band.valid[place]]
            where, _ = self._where(tile, band.vectors(place))
            self._pixels[tile] = self._image(where, None).astype(np.uint16)
        return self._pixels[tile]

    def _places_near(self, band: BandData, tile: int) -> np.ndarray:
        """Places of the pixels of a band around a tile."""
        if isinstance(band.pixels, HealpixPixels) and band.held is None:
            import healpy as hp

            radius = float(np.arccos(self._cosine(0)))
            return hp.query_disc(band.pixels.nside, self._centre(tile), radius)
        place = np.arange(len(band.counts) - (band.held is not None))
        return place[band.vectors(place) @ self._centre(tile) > self._cosine(0)]

    def _where(self, tile: int, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Flat pixels of a tile that contain some positions, and which positions are inside."""
        width, grid = self._tiles.width, self._tiles.grid
        front = vectors @ self._centre(tile) > 0
        plane = grid.xy(tile, np.where(front[:, None], vectors, self._centre(tile)), width)
        x, y = (np.rint(axis).astype(int) for axis in plane)
        inside = front & (x >= 0) & (x < width) & (y >= 0) & (y < width)
        return (y * width + x)[inside], inside

    def _image(self, where: np.ndarray, values: np.ndarray | None) -> np.ndarray:
        width = self._tiles.width
        return np.bincount(where, values, minlength=width**2).reshape(width, width)

    def _centre(self, tile: int) -> np.ndarray:
        return self._tiles.grid.bases[tile, 2]

    def _cosine(self, more: float) -> float:
        """Cosine of the distance of a corner of a tile from its centre, and ``more`` degrees."""
        half = np.radians(self._tiles.width * self._tiles.spacing) / np.sqrt(2)
        return float(np.cos(min(np.arctan(half) + np.radians(more), np.pi)))
