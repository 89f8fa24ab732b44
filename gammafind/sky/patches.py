"""Patches that were cut from a sky."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gammafind.errors import OptionError, ShapeError
from gammafind.sky.bands import Band
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.psf import RadialPsf


@dataclass(frozen=True, eq=False)
class Patches:
    """A stack of patches in several bands, cut from one sky.

    Parameters
    ----------
    grid : PatchGrid
        Positions of the patches; patch ``i`` of the arrays is patch ``i`` of the grid.
    bands : tuple of Band
    counts : tuple of ndarray
        One array per band, shape (n, ny, nx).
    background : tuple of ndarray, optional
        Expected counts of the background, with the shapes of ``counts``.
    exposure : tuple of ndarray, optional
        Exposure in cm2 s, with the shapes of ``counts``.
    psfs : tuple of RadialPsf, optional
        One per band.
    valid : tuple of ndarray of bool, optional
        False where there are no data, with the shapes of ``counts``; all other arrays are 0 there.
        True everywhere by default.
    noise : tuple of ndarray, optional
        Standard deviation of the pixels without sources, with the shapes of ``counts``; None for
        Poisson counts.
    map_pixels : tuple of float, optional
        Size in degrees of the pixels of the maps that they were cut from, one number a band.
    mean_exposure : tuple of float, optional
        Of the whole sky in cm2 s, one number a band.

    Examples
    --------
    >>> from gammafind.testing import toy_patches
    >>> patches = toy_patches()
    >>> len(patches), patches.n_pixels
    (1, (64,))
    """

    grid: PatchGrid
    bands: tuple[Band, ...]
    counts: tuple[np.ndarray, ...]
    background: tuple[np.ndarray, ...] | None = None
    exposure: tuple[np.ndarray, ...] | None = None
    psfs: tuple[RadialPsf, ...] | None = None
    valid: tuple[np.ndarray, ...] | None = None
    noise: tuple[np.ndarray, ...] | None = None
    map_pixels: tuple[float, ...] | None = None
    mean_exposure: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.valid is None:
            everywhere = tuple(np.broadcast_to(True, np.shape(array)) for array in self.counts)
            object.__setattr__(self, "valid", everywhere)
        for name in ("counts", "background", "exposure", "valid", "noise"):
            arrays = getattr(self, name)
            if arrays is None:
                continue
            shapes = [np.shape(array) for array in arrays]
            if len(shapes) != len(self.bands) or any(
                len(shape) != 3 or shape[0] != len(self.grid) or shape[1] != shape[2]
                for shape in shapes
            ):
                raise ShapeError(
                    f"{name} of shapes {shapes} for {len(self.bands)} bands and "
                    f"{len(self.grid)} patches",
                    remedy="Each band needs an array (n_patches, n, n).",
                )
            if not all(np.all(np.isfinite(array)) for array in arrays):
                raise ShapeError(f"{name} of the patches has values that are not finite")

    def __len__(self) -> int:
        return len(self.grid)

    @property
    def n_pixels(self) -> tuple[int, ...]:
        """Pixels per side, one number per band."""
        return tuple(array.shape[-1] for array in self.counts)

    def poisson(self, *, rng: np.random.Generator) -> Patches:
        """Draw Poisson counts if `counts` are expected counts, independently for each patch."""
        drawn = tuple(rng.poisson(array).astype(np.float32) for array in self.counts)
        return replace(self, counts=drawn)

    @property
    def score_width(self) -> int:
        """Pixels per side of a score map: those of the finest band."""
        return max(self.n_pixels)


def require_parts(patches: Patches, *names: str, remedy: str) -> None:
    """Raise OptionError unless patches have all of these optional parts."""
    missing = [name for name in names if getattr(patches, name) is None]
    if missing:
        raise OptionError(f"the patches have no {', '.join(missing)}", remedy=remedy)
