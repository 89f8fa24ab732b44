"""Distribution of the photons of HEALPix pixels over the pixels of patches."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

import numpy as np

_SUBDIVISION = 5
"""Halvings of a pixel on whose sub-pixels photons are placed at random."""
_CHUNK = 500_000
"""Photons per step: limits memory."""
_BLOCK_NSIDE = 32
"""Photons are sorted by blocks of the sky, so that a patch needs to read only few of them."""

_COLUMNS = 20_000
"""Columns of a product of matrices that is so small that it starts no threads of its own."""
_WIDE = 1.4
"""Radians from the centre of a tangent plane from which it says little about distances."""


class Patchwork(Protocol):
    """Positions of patches: the needed part of `gammafind.sky.patch_grid.PatchGrid`."""

    bases: np.ndarray

    def __len__(self) -> int: ...

    def pixel_size(self, n_pixels: int) -> float:
        """Side of a pixel in degrees."""


def scatter_counts(
    counts: np.ndarray, nside: int, grid: Patchwork, width: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Bin the photons of a HEALPix map into the pixels of every patch.

    Each photon gets one random position within its pixel. It is the same in all patches, so
    overlapping patches contain the same photons.

    Parameters
    ----------
    counts : ndarray, shape (12 nside**2,)
        RING order.
    nside : int
    grid : Patchwork
    width : int
        Pixels per side of a patch.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_patches, width, width), float32
    """
    patches = np.zeros((len(grid), width, width), dtype=np.float32)
    if not np.any(counts):
        return patches
    photons, ends = photon_vectors(counts, nside, rng=rng)
    for patch, (_, pixel, _) in zip(
        patches, pixels_in_patches(photons, ends, grid, width), strict=True
    ):
        patch[...] = np.bincount(pixel, minlength=width**2).reshape(width, width)
    return patches


def pixels_in_patches(
    vectors: np.ndarray, ends: np.ndarray, grid: Patchwork, width: int
) -> Iterator[tuple[list[slice], np.ndarray, np.ndarray]]:
    """Yield for each patch: runs of vectors near it, flat pixels of those inside, and their mask.

    Parameters
    ----------
    vectors, ends : ndarray
        As returned by `photon_vectors`.
    grid : Patchwork
    width : int
    """
    half = np.tan(np.radians(grid.pixel_size(1) / 2))
    step, middle = np.float32(np.radians(grid.pixel_size(width))), np.float32(width / 2)
    for basis in grid.bases:
        runs = list(_runs(basis, half, ends))
        near = np.concatenate([vectors[run] for run in runs])
        parts = (near[i : i + _COLUMNS].T for i in range(0, max(len(near), 1), _COLUMNS))
        east, north, outward = np.hstack([basis.astype(np.float32) @ part for part in parts])
        per_step = 1 / (outward * step)
        column = np.floor(middle - east * per_step).astype(np.int32)
        row = np.floor(middle + north * per_step).astype(np.int32)
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < width) & (outward > 0)
        yield runs, row[inside] * width + column[inside], inside


def photon_vectors(
    counts: np.ndarray, nside: int, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of all photons of a RING map, at random positions in their pixels.

    Returns
    -------
    vectors : ndarray, shape (n, 3), float32
        Ordered by blocks of the sky: pixels of nside 32, or of the map if it is coarser, in NESTED
        order.
    ends : ndarray of int
        End index of the photons of each block.
    """
    import healpy as hp

    counts = np.asarray(counts)
    filled = np.flatnonzero(counts)
    nested = hp.ring2nest(nside, filled)
    order = np.argsort(nested)
    nested, photons = nested[order], counts[filled[order]].astype(np.int64)
    ends = np.append(0, np.cumsum(photons))
    vectors = np.empty((ends[-1], 3), dtype=np.float32)
    breaks = np.searchsorted(ends[1:], np.arange(_CHUNK, ends[-1], _CHUNK))
    for part in np.split(np.arange(len(nested)), breaks):
        pixel = np.repeat(nested[part], photons[part])
        fine = pixel * 4**_SUBDIVISION + rng.integers(4**_SUBDIVISION, size=len(pixel))
        start = ends[part[0]] if len(part) else 0
        vectors[start : start + len(pixel)] = _centres(nside * 2**_SUBDIVISION, fine)
    n_blocks = 12 * _block_nside(nside) ** 2
    block = nested // (12 * nside**2 // n_blocks)
    return vectors, np.cumsum(np.bincount(block, photons, minlength=n_blocks)).astype(np.int64)


def nested_vectors(nside: int, *, blocks_of: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of the centres of all NESTED pixels, in the format of `photon_vectors`.

    Parameters
    ----------
    nside : int
    blocks_of : int
        Nside of the map that defines the blocks.
    """
    n_blocks = 12 * _block_nside(blocks_of) ** 2
    n = 12 * nside**2
    vectors = np.empty((n, 3), dtype=np.float32)
    for start in range(0, n, _CHUNK):
        vectors[start : start + _CHUNK] = _centres(nside, np.arange(start, min(start + _CHUNK, n)))
    return vectors, np.arange(1, n_blocks + 1) * (n // n_blocks)


def _block_nside(nside: int) -> int:
    return min(nside, _BLOCK_NSIDE)


def _centres(nside: int, pixel: np.ndarray) -> np.ndarray:
    """Unit vectors of the centres of NESTED pixels, shape (n, 3)."""
    import healpy as hp

    return np.stack(hp.pix2vec(nside, pixel, nest=True), axis=-1)


def _runs(basis: np.ndarray, half: float, ends: np.ndarray) -> Iterator[slice]:
    """Photons of all blocks that overlap a square of half a side in the tangent plane, as runs."""
    centres, radius = _blocks(len(ends))
    east, north, outward = basis @ centres
    # A disc of this radius is stretched most where it is farthest from the centre of the plane.
    farthest = np.arctan(np.sqrt(2) * half) + 2 * radius
    inside = outward > np.cos(min(farthest, np.pi))
    if farthest < _WIDE:
        reach = (half + radius / np.cos(farthest) ** 2) * outward
        inside &= (abs(east) < reach) & (abs(north) < reach)
    near = np.flatnonzero(inside)
    breaks = np.flatnonzero(np.diff(near) > 1)
    first, last = near[np.append(0, breaks + 1)], near[np.append(breaks, len(near) - 1)]
    starts = np.append(0, ends)[first]
    yield from (slice(start, end) for start, end in zip(starts, ends[last], strict=True))


@lru_cache(maxsize=4)
def _blocks(number: int) -> tuple[np.ndarray, float]:
    """Unit vectors of the centres of blocks, shape (3, number), and their radius in radians."""
    import healpy as hp

    nside = hp.npix2nside(number)
    return np.stack(hp.pix2vec(nside, np.arange(number), nest=True)), float(hp.max_pixrad(nside))
