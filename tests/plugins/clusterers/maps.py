"""Score maps with known discs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from astropy.table import QTable

PLACES = ((20, 30), (64, 64), (100, 40), (50, 110), (104, 100))
"""``x, y`` of isolated discs in a map of 128 x 128 pixels."""


def disc_map(
    places: Iterable[tuple[float, float]] = PLACES,
    *,
    shape: tuple[int, int] = (128, 128),
    noise: float = 0.05,
    on_discs: bool = False,
) -> np.ndarray:
    """Discs of radius 5 and value 1 in half-normal noise, on request over the discs too."""
    rng = np.random.default_rng(42)
    image = np.abs(rng.normal(0, noise, shape))
    y, x = np.indices(shape)
    for column, row in places:
        disc = (x - column) ** 2 + (y - row) ** 2 <= 25
        image[disc] = 1 - image[disc] if on_discs else 1
    return image


def ts_map(places: Iterable[tuple[float, float]], peak: float, *, sigma: float = 2.5) -> np.ndarray:
    """Gaussian peaks on a noisy floor of chi-squared values, as in a map of the test statistic."""
    y, x = np.indices((128, 128))
    image = np.random.default_rng(7).chisquare(1, (128, 128)) / 2
    for column, row in places:
        image += peak * np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * sigma**2))
    return image


def nearest_distance(table: QTable, places: Iterable[tuple[float, float]]) -> np.ndarray:
    """Distance in pixels from each place to the nearest cluster."""
    found = np.stack([table["x"].value, table["y"].value], axis=1)
    return np.array([np.hypot(*(found - place).T).min() for place in places])
