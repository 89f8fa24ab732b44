"""Parts of the sky with separate rates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from astropy.coordinates import SkyCoord

REGIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "all": lambda b: np.ones(len(b), dtype=bool),
    "|b| > 20 deg": lambda b: b > 20,
    "|b| < 10 deg": lambda b: b < 10,
}
"""Tests on `latitudes`, by the name of the region."""


def latitudes(positions: SkyCoord) -> np.ndarray:
    """Distance from the Galactic plane in degrees, shape (n,)."""
    return np.abs(positions.galactic.b.deg)
