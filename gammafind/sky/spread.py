"""Maps spread over patches: each HEALPix pixel is divided among the patch pixels it covers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

import healpy as hp
import numpy as np
from scipy import sparse

from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.scatter import nested_vectors, pixels_in_patches
from gammafind.utils.cache import cached_arrays

_POINTS = 8
"""Points along a side over which a HEALPix pixel is spread: balances accuracy and time."""
_VERSION = 1
"""Version of the algorithm; the cache ignores arrays of other versions."""


@dataclass(frozen=True, eq=False)
class Spread:
    """The distribution of the pixels of a map over those of patches.

    Unlike photons at random positions in their pixels, a spread map keeps all information of the
    map. But counts are no longer integers, and neighbouring pixels are correlated.

    Parameters
    ----------
    shares : sparse array, shape (n_patches * width**2, n_pixels)
        Share of each HEALPix pixel (RING) in each pixel of each patch.
    width : int
        Pixels per side of a patch.
    """

    shares: sparse.csr_array
    width: int

    def __len__(self) -> int:
        return self.shares.shape[0] // self.width**2

    def of(self, values: np.ndarray) -> np.ndarray:
        """Spread a map; shape (n_patches, width, width), float32."""
        laid = self.shares @ np.asarray(values, dtype=np.float32)
        return laid.reshape(len(self), self.width, self.width)

    def patch(self, index: int) -> tuple[np.ndarray, sparse.csr_array]:
        """HEALPix pixels that overlap a patch, and their shares in its pixels."""
        rows = self.shares[index * self.width**2 : (index + 1) * self.width**2]
        pixel, column = np.unique(rows.indices, return_inverse=True)
        shape = (self.width**2, len(pixel))
        return pixel, sparse.csr_array((rows.data, column, rows.indptr), shape=shape)


def spread_over(nside: int, grid: PatchGrid, width: int, *, keep: bool = True) -> Spread:
    """Spread maps of a resolution over the patches of a grid.

    Parameters
    ----------
    nside : int
    grid : PatchGrid
        In the frame of the maps.
    width : int
        Pixels per side of a patch.
    keep : bool
        Whether to store the result in the cache.

    Returns
    -------
    Spread
        Accurate to a hundredth of a HEALPix pixel.
    """

    def compute() -> dict[str, np.ndarray]:
        shares = _shares(nside, grid, width)
        return {"data": shares.data, "indices": shares.indices, "indptr": shares.indptr}

    places = sha256(np.concatenate([grid.lon, grid.lat]).tobytes()).hexdigest()
    key = {
        "array": "shares of HEALPix pixels in patches",
        "version": _VERSION,
        "nside": nside,
        "width": width,
        "size": grid.pixel_size(1),
        "places": places,
    }
    parts = cached_arrays(key, compute) if keep else compute()
    shape = (len(grid) * width**2, 12 * nside**2)
    return Spread(
        sparse.csr_array((parts["data"], parts["indices"], parts["indptr"]), shape=shape), width
    )


def _shares(nside: int, grid: PatchGrid, width: int) -> sparse.csr_array:
    vectors, ends = _points(nside)
    to_ring = hp.nest2ring(nside, np.arange(12 * nside**2)).astype(np.int32)
    blocks = []
    for runs, pixel, inside in pixels_in_patches(vectors, ends, grid, width):
        point = np.concatenate([np.arange(run.start, run.stop) for run in runs])[inside]
        column = to_ring[point // _POINTS**2]
        share = np.full(len(column), 1 / _POINTS**2, dtype=np.float32)
        block = sparse.coo_array((share, (pixel, column)), shape=(width**2, 12 * nside**2))
        blocks.append(block.tocsr())
    return sparse.vstack(blocks, format="csr")


@lru_cache(maxsize=1)
def _points(nside: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of points spread over all pixels, and the end index of each block."""
    return nested_vectors(nside * _POINTS, blocks_of=nside)
