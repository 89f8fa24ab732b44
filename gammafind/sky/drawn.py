"""A simulated observation of a known sky: the image and the truth of its artefacts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.table import QTable

from gammafind.sky.skymap import SkyMap


@dataclass(frozen=True, eq=False)
class Drawn:
    """One draw of a sky, with the truth of its artefacts.

    Attributes
    ----------
    counts : SkyMap
        Counts, or electrons.
    artefacts : QTable, optional
        Features of the detector that are not on the sky, one per row: ``kind``, and positions ``x,
        y`` in pixels. None if the detector has no artefacts.
    mask : ndarray of uint8, optional
        Bit mask of each pixel, common to all bands; the renderer defines the meaning of the bits.
    """

    counts: SkyMap
    artefacts: QTable | None = None
    mask: np.ndarray | None = None
