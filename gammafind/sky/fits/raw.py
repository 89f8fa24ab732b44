"""What a parser of one FITS layout hands on, before missing values are looked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.sky.pixels import Pixels

__all__ = ["RawMap"]


@dataclass(frozen=True, eq=False)
class RawMap:
    """Arrays of one HDU on common pixels.

    Parameters
    ----------
    names : tuple of str
        Columns, or planes of a cube.
    unit : str or None
        As the file says it.
    arrays : tuple of ndarray
        One per name, of the shape of ``pixels``.
    present : ndarray of bool
        False where the file does not cover a pixel.
    pixels : Pixels
    """

    names: tuple[str, ...]
    unit: str | None
    arrays: tuple[np.ndarray, ...]
    present: np.ndarray
    pixels: Pixels
