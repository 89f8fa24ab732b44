"""The output of the parser of one FITS layout, before the search for missing values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.sky.pixels import Pixels


@dataclass(frozen=True, eq=False)
class RawMap:
    """Arrays of one HDU on common pixels.

    Parameters
    ----------
    names : tuple of str
        Columns, or planes of a cube.
    unit : str
        Unit as written in the file, empty if it is not.
    arrays : tuple of ndarray
        One array per name, with the shape of ``pixels``.
    present : ndarray of bool
        False if the file does not cover the pixel.
    pixels : Pixels
    listed : bool
        Whether the file lists its pixels one by one; others may be empty or not observed.
    """

    names: tuple[str, ...]
    unit: str
    arrays: tuple[np.ndarray, ...]
    present: np.ndarray
    pixels: Pixels
    listed: bool = False
