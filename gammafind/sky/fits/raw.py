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
    unit : str or None
        Unit as written in the file.
    arrays : tuple of ndarray
        One array per name, with the shape of ``pixels``.
    present : ndarray of bool
        False if the file does not cover the pixel.
    pixels : Pixels
    """

    names: tuple[str, ...]
    unit: str | None
    arrays: tuple[np.ndarray, ...]
    present: np.ndarray
    pixels: Pixels
