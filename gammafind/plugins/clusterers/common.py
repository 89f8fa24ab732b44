"""Common parts of the clusterers: their table and the checks of their options."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.errors import OptionError


def cluster_table(
    places: Sequence[tuple[float, float]], score: Sequence[float], n_pixels: Sequence[int]
) -> QTable:
    """Table of clusters at places ``(y, x)``; sequences of equal length, possibly empty."""
    y, x = np.reshape(np.asarray(places, dtype=float), (-1, 2)).T
    return QTable(
        {
            "x": x * u.pix,
            "y": y * u.pix,
            "score": np.asarray(score, dtype=float),
            "n_pixels": np.asarray(n_pixels, dtype=int),
        }
    )


def middle_pixel(rows: np.ndarray, columns: np.ndarray) -> tuple[int, int]:
    """Row and column of the pixel nearest to the mean of several, shape (n,) each."""
    distance = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    nearest = int(np.argmin(distance))
    return int(rows[nearest]), int(columns[nearest])


def require_at_least(minimum: float, *, exclusive: bool = False, **options: float) -> None:
    """Raise OptionError unless each option is finite and at least (or above) ``minimum``."""
    for name, value in options.items():
        allowed = value > minimum if exclusive else value >= minimum
        if not (np.isfinite(value) and allowed):
            limit = "above" if exclusive else "at least"
            raise OptionError(f"{name} is {value}", remedy=f"It must be {limit} {minimum}.")


def require_choice(choices: Sequence[str], **options: str) -> None:
    """Raise OptionError unless each option is one of ``choices``."""
    for name, value in options.items():
        if value not in choices:
            raise OptionError(
                f"{name} is {value!r}", remedy=f"Accepted are {', '.join(map(repr, choices))}."
            )
