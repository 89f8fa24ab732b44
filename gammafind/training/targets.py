"""What a network is to answer: where the sources of each patch are, as maps."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.errors import OptionError
from gammafind.sky.truth import truth_masks

TRUTH = np.dtype([("patch", "i4"), ("x", "f4"), ("y", "f4"), ("ts", "f4"), ("source", "i4")])
"""Truth of patches: patch, pixel (0 at the centre of the first), expected TS, row of the source."""

_REACH = 4.0
"""Standard deviations at which the Gaussians end."""
_SHAPES = ("gaussian", "disc")


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """Which sources are marked, and how.

    Parameters
    ----------
    shape : {"gaussian", "disc"}
    sigma : float
        Standard deviation of the Gaussians in pixels; also the weight of the offsets.
    radius : float
        Of the discs, in pixels.
    least_ts : float
        Sources of a lower expected TS are not marked: nobody can see them.
    """

    shape: str = "gaussian"
    sigma: float = 1.2
    radius: float = 5.0
    least_ts: float = 5.0

    def __post_init__(self) -> None:
        if self.shape not in _SHAPES:
            raise OptionError(
                f"the shape of the targets is {self.shape!r}",
                remedy=f"Accepted are {', '.join(_SHAPES)}.",
            )
        for name in ("sigma", "radius"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise OptionError(
                    f"{name} of the targets is {value}", remedy="It must be above 0 pixels."
                )
        if np.isnan(self.least_ts):
            raise OptionError("least_ts of the targets is NaN", remedy="Give a number.")

    @property
    def margin(self) -> float:
        """Pixels beyond the border from which sources reach in."""
        return self.radius if self.shape == "disc" else _REACH * self.sigma

    def check_reach(self, known: float) -> None:
        """Refuse targets that reach further than sources are known, in pixels beyond the border.

        Raises
        ------
        OptionError
        """
        if self.margin > known:
            raise OptionError(
                f"targets reach {self.margin:g} pixels",
                remedy=f"Sources are listed up to {known:g} pixels beyond the border: take a "
                "smaller sigma or radius.",
            )


def target_maps(
    truth: np.ndarray,
    n_patches: int,
    n_pixels: int,
    options: TargetOptions,
    *,
    widths: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Make all that a network is to answer for some patches.

    Parameters
    ----------
    truth : ndarray of TRUTH
    n_patches, n_pixels : int
        Number of patches, and pixels a side.
    options : TargetOptions
    widths : ndarray, shape (n_patches,), or float
        Unit of the ``sigma`` of the options in each patch, in pixels.

    Returns
    -------
    ndarray, shape (n_patches, n_pixels, n_pixels, 4), float32
        Score of 0 to 1; x and y of the nearest source less those of the pixel, in pixels; weight
        of these offsets.
    """
    seen = truth[truth["ts"] >= options.least_ts]
    sigma = np.reshape(options.sigma * np.asarray(widths, dtype=np.float32), (-1, 1, 1))
    apart = offsets(seen, n_patches, n_pixels, reach=_REACH * float(sigma.max()))
    heat = heights(apart, sigma)
    maps = np.empty((n_patches, n_pixels, n_pixels, 4), dtype=np.float32)
    if options.shape == "disc":
        maps[..., 0] = discs(seen, n_patches, n_pixels, radius=options.radius)
    else:
        maps[..., 0] = heat
    maps[..., 1:3] = np.where(np.isinf(apart), 0, apart)
    maps[..., 3] = heat
    return maps


def offsets(truth: np.ndarray, n_patches: int, n_pixels: int, *, reach: float) -> np.ndarray:
    """From each pixel to the nearest source.

    Parameters
    ----------
    truth : ndarray of TRUTH
    n_patches, n_pixels : int
    reach : float
        Pixels within which a source is looked for.

    Returns
    -------
    ndarray, shape (n_patches, n_pixels, n_pixels, 2), float32
        Position of the source less that of the pixel, x and y; infinite where no source is
        within reach.
    """
    steps = np.arange(-int(np.ceil(reach)) - 1, int(np.ceil(reach)) + 2)
    column = np.rint(truth["x"]).astype(int)[:, None, None] + steps
    row = np.rint(truth["y"]).astype(int)[:, None, None] + steps[:, None]
    dx, dy = truth["x"][:, None, None] - column, truth["y"][:, None, None] - row
    square = dx**2 + dy**2
    inside = (column >= 0) & (column < n_pixels) & (row >= 0) & (row < n_pixels)
    source, i, j = np.nonzero(inside & (square <= reach**2))
    # Of what is laid on one pixel the last stays, which must be the nearest.
    order = np.argsort(-square[source, i, j], kind="stable")
    source, i, j = source[order], i[order], j[order]
    maps = np.full((n_patches, n_pixels, n_pixels, 2), np.inf, dtype=np.float32)
    place = (truth["patch"][source], row[source, i, 0], column[source, 0, j])
    maps[place] = np.stack([dx[source, 0, j], dy[source, i, 0]], axis=-1)
    return maps


def heights(offset: np.ndarray, sigma: np.ndarray | float) -> np.ndarray:
    """Gaussian of height 1 about the nearest source.

    Parameters
    ----------
    offset : ndarray, shape (..., 2)
        From `offsets`.
    sigma : float or ndarray
        Standard deviation in pixels, of a shape that fits (...).

    Returns
    -------
    ndarray, shape (...)
    """
    return np.exp(-(offset[..., 0] ** 2 + offset[..., 1] ** 2) / (2 * sigma**2))


def discs(truth: np.ndarray, n_patches: int, n_pixels: int, *, radius: float) -> np.ndarray:
    """Masks that are true within ``radius`` pixels of a source, as the paper has them.

    Returns
    -------
    ndarray of bool, shape (n_patches, n_pixels, n_pixels)
    """
    table = QTable({"patch": truth["patch"], "x": truth["x"] * u.pix, "y": truth["y"] * u.pix})
    return truth_masks(table, n_patches, n_pixels, radius=radius)
