"""Square tiles that cover the searched part of a sky."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from gammafind.fitting.photons.data import BandData, SkyData
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.projection import local_bases, longitudes_latitudes, project

_SIDE = 12.0
"""Side of a tile in degrees without its margin: balances overlap and distortion."""
_ONE = 12.0
"""Largest radius in degrees of a region that is searched as one tile."""
_SAMPLE = 100_000
"""Pixels that determine the extent of a region."""


@dataclass(frozen=True, eq=False)
class SearchTiles:
    """Tangent-plane tiles with a margin; each position belongs to one of them.

    Attributes
    ----------
    grid : PatchGrid
        The tiles with their margins.
    width : int
        Pixels per side.
    spacing : float
        Side of a pixel in degrees.
    number : ndarray of int
        Number of each tile in the division of the whole sky, or empty for a single tile.
    """

    grid: PatchGrid
    width: int
    spacing: float
    number: np.ndarray

    @classmethod
    def of(cls, data: SkyData, *, spacing: float, margin: float) -> SearchTiles:
        """Tiles of the valid part of a sky.

        Parameters
        ----------
        data : SkyData
        spacing : float
            Side of a pixel in degrees.
        margin : float
            Least distance in degrees of the border of a tile from the positions that it searches.
        """
        vectors = np.concatenate([sampled_vectors(band, _SAMPLE) for band in data.bands])
        centre = vectors.sum(axis=0)
        length = np.linalg.norm(centre)
        if length > 0:
            centre /= length
            lowest = (vectors @ centre).min(initial=1)
            if lowest > np.cos(np.radians(_ONE)):
                return cls._single(data.frame, centre, vectors, spacing, margin)
        lon, lat, number = _division()
        occupied = np.unique(_numbers(vectors))
        chosen = np.isin(number, occupied)
        side = _SIDE * 1.05 + 2 * margin
        width = int(np.ceil(side / spacing))
        grid = PatchGrid(lon[chosen], lat[chosen], width * spacing * u.deg, data.frame)
        return cls(grid, width, spacing, number[chosen])

    @classmethod
    def _single(
        cls, frame: str, centre: np.ndarray, vectors: np.ndarray, spacing: float, margin: float
    ) -> SearchTiles:
        offsets = project(vectors, local_bases(centre[None])[0])
        reach = max(np.abs(axis).max(initial=0) for axis in offsets) + margin + spacing
        width = 2 * int(np.ceil(reach / spacing)) + 1
        lon, lat = longitudes_latitudes(centre[None])
        return cls(
            PatchGrid(lon, lat, width * spacing * u.deg, frame), width, spacing, np.zeros(0, int)
        )

    def __len__(self) -> int:
        return len(self.grid)

    def owned(self, tile: int, vectors: np.ndarray) -> np.ndarray:
        """Which positions belong to a tile, or are within its spacing of such a position.

        Otherwise a maximum at the border, which each tile places on the other side, would be lost.
        """
        if not len(self.number):
            return np.ones(len(vectors), dtype=bool)
        step = np.radians(self.spacing) * np.concatenate([np.zeros((1, 3)), np.eye(3), -np.eye(3)])
        around = (vectors + step[:, None]).reshape(-1, 3)
        around /= np.linalg.norm(around, axis=-1, keepdims=True)
        near = _numbers(around).reshape(len(step), -1) == self.number[tile]
        return near.any(axis=0)


def sampled_vectors(band: BandData, number: int) -> np.ndarray:
    """Unit vectors of about ``number`` valid pixels of a band, evenly spread."""
    places = np.flatnonzero(band.valid)
    return band.vectors(places[:: len(places) // number + 1])


def _rows() -> tuple[np.ndarray, np.ndarray]:
    """Latitudes of the rows of tiles in degrees, and the number of tiles in each."""
    n = int(np.ceil(180 / _SIDE))
    lat = -90 + (np.arange(n) + 0.5) * 180 / n
    nearest = np.maximum(np.abs(lat) - 90 / n, 0)
    return lat, np.maximum(np.ceil(360 * np.cos(np.radians(nearest)) / _SIDE), 3).astype(int)


def _division() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres of all tiles in degrees, and their numbers."""
    lat, counts = _rows()
    lon = np.concatenate([(np.arange(n) + 0.5) * 360 / n for n in counts])
    return lon, np.repeat(lat, counts), np.arange(counts.sum())


def _numbers(vectors: np.ndarray) -> np.ndarray:
    """Number of the tile that each position belongs to."""
    lat, counts = _rows()
    lon, latitude = longitudes_latitudes(vectors)
    row = np.minimum(((latitude + 90) / 180 * len(lat)).astype(int), len(lat) - 1)
    column = np.minimum((lon / 360 * counts[row]).astype(int), counts[row] - 1)
    return (np.cumsum(counts) - counts)[row] + column
