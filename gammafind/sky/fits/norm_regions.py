"""Maps of numbers of regions from FITS files."""

from __future__ import annotations

from os import PathLike

import numpy as np

from gammafind.errors import InputDataError
from gammafind.sky.fits.layers import read_layers
from gammafind.sky.norm_regions import REST, NormRegions

MOST = 200
"""Most regions: each has norms of its own, which need counts."""


def read_norm_regions(path: str | PathLike, *, frame: str | None = None) -> NormRegions:
    """Read a map whose values are whole numbers, each a region.

    Parameters
    ----------
    path : path-like
        HEALPix map or image with a WCS. Pixels without a value, and the sky outside, are a region.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of a HEALPix map if the header has no ``COORDSYS``.

    Raises
    ------
    InputDataError
        If there are several maps, or values are no whole numbers from 0 on, or there are more
        than 200 of them.
    InputFileError
        If the file cannot be used; the subclass describes the fault.
    """
    layers = read_layers(path, frame=frame, want="background")
    if len(layers.values) > 1:
        raise InputDataError(
            f"{len(layers.values)} maps of regions", path=path, remedy="Give one map."
        )
    valid, values = layers.valid[0].ravel(), layers.values[0].ravel()
    inside = values[valid]
    if np.any(inside < 0) or np.any(inside != np.round(inside)):
        raise InputDataError(
            "values are no numbers of regions",
            path=path,
            remedy="Number the regions 0, 1, 2 and so on.",
        )
    found = len(np.unique(inside))
    if found > MOST:
        raise InputDataError(
            f"the map has {found} regions", path=path, remedy=f"Give at most {MOST}."
        )
    return NormRegions(np.where(valid, values, REST).astype(int), layers.pixels)
