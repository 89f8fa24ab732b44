"""What the values of a file are, where they are not the counts that are wanted."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np

from gammafind.errors import FileFormatError, InputDataError
from gammafind.sky.fits.layers import Layers

_MOST = 1e12
"""Counts in a pixel above those of any instrument; beyond 2**53 numbers are not exact."""


def refuse_other_maps(file: Layers) -> None:
    """Refuse an exposure cube, or weights, in the place of counts.

    Raises
    ------
    FileFormatError
    """
    area = "" if not file.unit else u.Unit(file.unit, parse_strict="silent")
    cube = file.nodes is not None and any("IRF_VERSION" in cut for cut in file.selections)
    if file.hdu == "HPXEXPOSURES" or cube or (area and area.is_equivalent("cm2 s")):
        raise FileFormatError(
            "this is a map of exposures, not of counts",
            path=file.path,
            remedy="Give it as the exposure (--exposure) of a map of counts.",
        )
    pairs = zip(file.values, file.valid, strict=True)
    if all(v.dtype.kind == "f" and v.size > 1 and np.all(v[good] == 1) for v, good in pairs):
        raise FileFormatError(
            "all pixels are 1: this looks like weights of a likelihood, not like counts",
            path=file.path,
            remedy="Leave the weights out: the search does not use them.",
        )


def check_counts(values: np.ndarray, name: str, path: Path) -> None:
    """Refuse values that are no counts, with what they look like.

    Parameters
    ----------
    values : ndarray
        0 where not valid.
    name : str
        Of the layer.
    path : Path

    Raises
    ------
    InputDataError
    """
    if (negative := np.flatnonzero(values < 0)).size:
        raise InputDataError(
            f"{name}: {negative.size} pixels have negative counts, the first "
            f"{values.flat[negative[0]]:g}",
            path=path,
            remedy="Counts must be integers, 0 or larger.",
        )
    if (broken := np.flatnonzero(values != np.rint(values))).size:
        weights = values.max() <= 1
        looks = "weights of a likelihood" if weights else "expected counts or an intensity"
        raise InputDataError(
            f"{name}: {broken.size} pixels are not integers, the first "
            f"{values.flat[broken[0]]:g}; this looks like {looks}",
            path=path,
            remedy="A count map must contain integer numbers of photons.",
        )
    if values.max(initial=0) > _MOST:
        raise InputDataError(
            f"{name}: a pixel has {values.max():.3g} counts",
            path=path,
            remedy=f"At most {_MOST:.0e} are possible: is this a map of counts?",
        )
