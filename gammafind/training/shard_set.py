"""Training data as they are read: the patches of some catalogues, mapped into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from scipy import sparse

from gammafind.errors import MissingFileError
from gammafind.sky.spread import Spread
from gammafind.training.sets import DataSet, Part, damaged, joined_truth, load_array, read_meta

_ABOVE_LOWEST = 1.5


@dataclass(frozen=True, kw_only=True, eq=False)
class PatchMap:
    """Pixels of a map that reach into a patch, in one band.

    Attributes
    ----------
    sources, background : ndarray, shape (k,)
        Expected counts in each pixel of the map.
    shares : sparse array, shape (width**2, k)
        Of each of them in each pixel of the patch.
    """

    sources: np.ndarray
    background: np.ndarray
    shares: sparse.csr_array


@dataclass(frozen=True, kw_only=True, eq=False)
class Expected:
    """What is expected in some patches.

    Attributes
    ----------
    sources, background : tuple of ndarray
        Expected counts, one array (n, width, width) a band, float32.
    exposure : tuple of ndarray or None
        In cm2 s, same shapes; None if it was not requested.
    truth : ndarray of `gammafind.training.targets.TRUTH`
        Patches are numbered as in the arrays.
    maps : tuple of tuple of PatchMap or None
        Of each patch, in each band, where counts are drawn in the pixels of maps and spread; None
        in bands where they are drawn in the pixels of the patches.
    """

    sources: tuple[np.ndarray, ...]
    background: tuple[np.ndarray, ...]
    exposure: tuple[np.ndarray, ...] | None
    truth: np.ndarray
    maps: tuple[tuple[PatchMap | None, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.sources[0])


class _Shard(Part):
    """The patches of one catalogue."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        names = ("n_patches", "widths", "exposure_scales", "margin", "spread")
        self._n, widths, self.exposure_scales, self.margin, self.spread = read_meta(folder, *names)
        self.widths = tuple(widths)
        self._arrays: dict[str, np.ndarray] = {}
        self._maps: dict[int, tuple[PatchMap, ...]] = {}
        self._wholes: dict[int, tuple[np.ndarray, np.ndarray, Spread]] = {}
        for i, width in enumerate(self.widths):
            for name in ("sources", "background", *(["exposure"] if self.exposure_scales else [])):
                self._arrays[f"{name}_{i}"] = self._mapped(f"{name}_{i}", width)

    def __len__(self) -> int:
        return self._n

    def array(self, name: str) -> np.ndarray:
        """Array of a name, mapped into memory."""
        if name not in self._arrays:
            raise MissingFileError(
                f"the shard has no {name}",
                path=self.folder,
                remedy="Make the shards with exposures, in a folder of their own.",
            )
        return self._arrays[name]

    def maps_of(self, patch: int) -> tuple[PatchMap, ...]:
        """Maps about one patch, one a band."""
        if patch not in self._maps:
            self._maps[patch] = tuple(self._map_of(patch, i) for i in range(len(self.widths)))
        return self._maps[patch]

    def _map_of(self, patch: int, band: int) -> PatchMap:
        sources, background, spread = self._whole(band)
        pixel, shares = spread.patch(patch)
        return PatchMap(sources=sources[pixel], background=background[pixel], shares=shares)

    def _whole(self, band: int) -> tuple[np.ndarray, np.ndarray, Spread]:
        """Maps of the whole sky in a band, and how they are spread."""
        if band not in self._wholes:
            names = (f"map_{name}_{band}" for name in ("sources", "background"))
            maps = [load_array(self.folder, name, None) for name in names]
            try:
                shares = sparse.load_npz(self.folder / f"spread_{band}.npz")
            except (OSError, ValueError, EOFError, KeyError):
                raise damaged(self.folder, f"spread_{band}.npz") from None
            self._wholes[band] = (*maps, Spread(sparse.csr_array(shares), self.widths[band]))
        return self._wholes[band]

    def _mapped(self, name: str, width: int) -> np.ndarray:
        array = load_array(self.folder, name, mmap_mode="r")
        if array.shape != (self._n, width, width) or array.dtype != np.float16:
            raise damaged(self.folder, f"{name}.npy")
        return array


class ShardSet(DataSet[_Shard]):
    """The patches of some catalogues of a set, mapped into memory."""

    part: ClassVar[type[Part]] = _Shard

    @property
    def widths(self) -> tuple[int, ...]:
        """Pixels a side in each band."""
        return self.parts[0].widths if self.parts else ()

    @property
    def margin(self) -> float:
        """Finest pixels beyond the border of a patch within which sources are listed."""
        return min((shard.margin for shard in self.parts), default=0.0)

    @cached_property
    def faintest(self) -> tuple[float, ...]:
        """Background of each band where it is faintest, in counts a pixel.

        Half as much again as the lowest hundredth of the first catalogue, so that the exposure,
        which varies too, does not count.
        """
        bands = range(len(self.widths))
        lowest = [np.quantile(self.parts[0].array(f"background_{i}"), 0.01) for i in bands]
        return tuple(_ABOVE_LOWEST * float(root) ** 2 for root in lowest)

    def read(self, rows: np.ndarray, *, exposure: bool = False) -> Expected:
        """Read what is expected in some patches.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Patches, counted through all catalogues.
        exposure : bool
            Whether to read the exposures.

        Returns
        -------
        Expected
        """
        places, bands = self.places(rows), range(len(self.widths))
        return Expected(
            sources=tuple(np.square(_stack(places, f"sources_{i}")) for i in bands),
            background=tuple(np.square(_stack(places, f"background_{i}")) for i in bands),
            exposure=tuple(_exposure(places, i) for i in bands) if exposure else None,
            truth=joined_truth(places),
            maps=_maps(places),
        )


def _stack(places: Sequence[tuple[_Shard, int]], name: str) -> np.ndarray:
    """One array of some patches, float32."""
    first = places[0][0].array(name)
    stacked = np.empty((len(places), *first.shape[1:]), dtype=np.float32)
    for row, (shard, patch) in zip(stacked, places, strict=True):
        row[...] = shard.array(name)[patch]
    return stacked


def _exposure(places: Sequence[tuple[_Shard, int]], band: int) -> np.ndarray:
    relative = _stack(places, f"exposure_{band}")
    scales = [shard.exposure_scales[band] for shard, _ in places]
    return relative * np.asarray(scales, dtype=np.float32)[:, None, None]


def _maps(places: Sequence[tuple[_Shard, int]]) -> tuple[tuple[PatchMap, ...], ...] | None:
    """Maps about each patch, where the shards hold them."""
    if not all(shard.spread for shard, _ in places):
        return None
    return tuple(shard.maps_of(patch) for shard, patch in places)
