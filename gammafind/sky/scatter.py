"""Distribution of the photons of HEALPix pixels over the pixels of patches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

_SUBDIVISION = 5
"""Halvings of a pixel on whose sub-pixels photons are placed at random."""
_CHUNK = 2_000_000
"""Photons per step: limits memory."""
_BLOCK_NSIDE = 32
"""Photons are sorted by blocks of the sky, so that a patch needs to read only few of them."""


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
    corner = np.arctan(np.sqrt(2) * np.tan(np.radians(grid.pixel_size(1) / 2)))
    step, middle = np.float32(np.radians(grid.pixel_size(width))), np.float32(width / 2)
    for basis in grid.bases:
        runs = list(_runs(basis[2], corner, ends))
        near = np.concatenate([vectors[run] for run in runs])
        east, north, outward = basis.astype(np.float32) @ near.T
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

    nested = np.asarray(counts)[hp.nest2ring(nside, np.arange(len(counts)))].astype(np.int64)
    blocks = nested.reshape(12 * _block_nside(nside) ** 2, -1).sum(axis=1)
    filled = np.flatnonzero(nested)
    pixel = np.repeat(filled, nested[filled])
    fine = pixel * 4**_SUBDIVISION + rng.integers(4**_SUBDIVISION, size=len(pixel))
    return _vectors(nside * 2**_SUBDIVISION, fine), np.cumsum(blocks)


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
    return _vectors(nside, np.arange(n)), np.arange(1, n_blocks + 1) * (n // n_blocks)


def _block_nside(nside: int) -> int:
    return min(nside, _BLOCK_NSIDE)


def _vectors(nside: int, pixel: np.ndarray) -> np.ndarray:
    """Unit vectors of the centres of NESTED pixels, shape (n, 3), float32."""
    import healpy as hp

    vectors = np.empty((len(pixel), 3), dtype=np.float32)
    for start in range(0, len(pixel), _CHUNK):
        part = slice(start, start + _CHUNK)
        vectors[part] = np.stack(hp.pix2vec(nside, pixel[part], nest=True), axis=-1)
    return vectors


def _runs(centre: np.ndarray, radius: float, ends: np.ndarray) -> Iterator[slice]:
    """Photons of all blocks that overlap a disc, as runs of neighbours."""
    import healpy as hp

    nside = hp.npix2nside(len(ends))
    near = hp.query_disc(nside, centre, radius, inclusive=True, nest=True)
    near.sort()
    breaks = np.flatnonzero(np.diff(near) > 1)
    first, last = near[np.append(0, breaks + 1)], near[np.append(breaks, len(near) - 1)]
    starts = np.append(0, ends)[first]
    yield from (slice(start, end) for start, end in zip(starts, ends[last], strict=True))
