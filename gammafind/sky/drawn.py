"""What a detector made of a sky that is known: the image, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.table import QTable

from gammafind.sky.skymap import SkyMap

__all__ = ["Drawn"]


@dataclass(frozen=True, eq=False)
class Drawn:
    """One draw of a sky, with the truth of its artefacts.

    Attributes
    ----------
    counts : SkyMap
        Counts, or electrons.
    artefacts : QTable, optional
        What is in the image and not on the sky, one per row, where the detector has such:
        ``kind``, and its places ``x, y`` in pixels.
    mask : ndarray of uint8, optional
        Bits of each pixel, of the shape of the pixels, that all bands share; the renderer says
        what they stand for.
    """

    counts: SkyMap
    artefacts: QTable | None = None
    mask: np.ndarray | None = None
