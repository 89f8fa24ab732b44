"""A coarse map of what a localiser thinks of each place, from its images of parts of the sky."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from astropy.nddata import block_reduce

from gammafind.sky.bands import Band
from gammafind.sky.degrade import added_up
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels, centre_vectors
from gammafind.sky.projection import from_frame, to_frame
from gammafind.sky.skymap import SkyMap

_FINEST = 256
"""Largest nside: a source is a few pixels, and the map stays small."""
_LARGEST = 1024
"""Most pixels of a side of an image."""


def score_map(
    counts: SkyMap, grid: PatchGrid, width: int, image: Callable[[int], np.ndarray]
) -> SkyMap:
    """Highest score in each pixel, in all patches that show it.

    Parameters
    ----------
    counts : SkyMap
        What was searched: its energies and valid pixels are those of the result.
    grid : PatchGrid
        The patches.
    width : int
        Pixels a side of each image.
    image : callable
        Scores of a patch, shape (width, width), 0 or more, by its number.

    Returns
    -------
    SkyMap
        Of one band: of HEALPix pixels with nside 256 at most, or of those of an image.
    """
    pixels, valid = _pixels(counts)
    centres = centre_vectors(pixels, np.arange(int(np.prod(pixels.shape))))
    on_sky = np.flatnonzero(np.any(centres != 0, axis=1))
    vectors = to_frame(from_frame(centres[on_sky], pixels.frame), grid.frame)
    highest = np.zeros(len(centres))
    patch, index, x, y = grid.members(vectors, width)
    index, ends = on_sky[index], np.searchsorted(patch, np.arange(len(grid) + 1))
    for number in range(len(grid)):
        scores = image(number)
        # The nearest score of each pixel leaves no gaps, and all that are in it lose no peak.
        here = slice(ends[number], ends[number + 1])
        row, column = (np.clip(np.rint(at[here]).astype(int), 0, width - 1) for at in (y, x))
        highest[index[here]] = np.maximum(highest[index[here]], scores[row, column])
        row, column = np.nonzero(scores)
        there = grid.pixel_vectors(number, width)[row, column]
        inside = pixels.containing(to_frame(from_frame(there, grid.frame), pixels.frame))
        np.maximum.at(highest, inside, scores[row, column])
    return _map(counts, pixels, highest.reshape(pixels.shape), valid)


class ImageScores:
    """Scores of an image, collected part by part: each pixel of the map has the highest of it.

    Parameters
    ----------
    counts : SkyMap
        The image; a large one has a coarser map.
    """

    def __init__(self, counts: SkyMap) -> None:
        self._counts = counts
        pixels = counts.pixels[0]
        self._factor = -(-max(pixels.shape) // _LARGEST)
        self._highest = np.zeros([-(-side // self._factor) for side in pixels.shape])

    def add(self, rows: slice, columns: slice, scores: np.ndarray) -> None:
        """Add the scores of a part of the image, 0 or more."""
        places = []
        for axis, part in enumerate((rows, columns)):
            place, starts = np.unique(
                np.arange(part.start, part.stop) // self._factor, return_index=True
            )
            scores = np.maximum.reduceat(scores, starts, axis=axis)
            places.append(slice(place[0], place[-1] + 1))
        own = self._highest[tuple(places)]
        np.maximum(own, scores, out=own)

    def map(self) -> SkyMap:
        """Return the map, of one band."""
        pixels, valid, step = self._counts.pixels[0], self._counts.valid[0], self._factor
        if step > 1:
            room = [(0, -side % step) for side in pixels.shape]
            valid = block_reduce(np.pad(valid, room), step, np.max)
            pixels = WcsPixels(pixels.wcs[::step, ::step], self._highest.shape)
        return _map(self._counts, pixels, self._highest, valid)


def _pixels(counts: SkyMap) -> tuple[Pixels, np.ndarray]:
    """Pixels of the map, and whether there are data."""
    finest = counts.finest_pixels
    valid = counts.valid[counts.pixels.index(finest)]
    if not isinstance(finest, HealpixPixels):
        return finest, valid
    pixels = HealpixPixels(min(finest.nside, _FINEST), finest.frame)
    return pixels, added_up(valid.astype(int), pixels.nside) > 0


def _map(counts: SkyMap, pixels: Pixels, scores: np.ndarray, valid: np.ndarray) -> SkyMap:
    (band, *others) = counts.bands
    if others:
        low, high = min(one.low for one in counts.bands), max(one.high for one in counts.bands)
        band = Band(f"{band.name} to {others[-1].name}", low, high)
    return SkyMap([band], [pixels], [np.where(valid, scores, 0)], "score", [valid])
