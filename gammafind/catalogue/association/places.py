"""Detections as they are associated: positions and the covariances of these."""

from __future__ import annotations

from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.sky.projection import vectors_in

SHIFTS = (-1.0, -0.75, -0.5, -0.3, 0.3, 0.5, 0.75, 1.0)
"""Shifts along Galactic longitude, in units of the longest, at which all counterparts are there by
chance."""
_LONGEST = 6.5
"""Longest shift in degrees: further the density of Galactic objects differs."""
_IN_SIGMA = 65.0
"""Longest shift in median sigma of the detections: the shortest is then 20 sigma."""
_IN_SIZES = 13.0
"""Longest shift in sigma of large counterparts: the shortest is then 4 sigma."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where detections are.

    Attributes
    ----------
    positions : SkyCoord, shape (n,)
    covariance : ndarray, shape (n, 2, 2)
        East and north, in deg2.
    known : ndarray of bool, shape (n,)
        Detections whose error is known; the others have no counterparts.
    """

    positions: SkyCoord
    covariance: np.ndarray
    known: np.ndarray

    def __len__(self) -> int:
        return len(self.known)

    @property
    def galactic(self) -> np.ndarray:
        """Galactic unit vectors, shape (n, 3)."""
        return vectors_in("galactic", self.positions)

    @property
    def latitude(self) -> np.ndarray:
        """Galactic latitudes in degrees."""
        return np.degrees(np.arcsin(np.clip(self.galactic[:, 2], -1, 1)))

    @property
    def sigma(self) -> np.ndarray:
        """Largest sigma in any direction, in degrees."""
        return largest_sigma(self.covariance)

    def shifted(self, degrees: float) -> Places:
        """Places along the great circle that leaves each one along Galactic longitude.

        Detections whose error is so large that they keep their counterparts are not known there.
        """
        moved = self.positions.galactic.directional_offset_by(90 * u.deg, degrees * u.deg)
        clear = 5 * self.sigma < abs(degrees)
        return replace(self, positions=moved.icrs, known=self.known & clear)

    def longest_shift(self, counterparts: np.ndarray) -> float:
        """Longest shift in degrees, of sigmas of the counterparts, shape (m,)."""
        own = np.median(self.sigma[self.known]) if self.known.any() else 0.0
        # A few very large counterparts must not set the shift of all.
        large = np.quantile(counterparts, 0.98) if len(counterparts) else 0.0
        return float(min(_LONGEST, max(_IN_SIGMA * own, _IN_SIZES * large)))


def largest_sigma(covariance: np.ndarray) -> np.ndarray:
    """Square root of the larger eigenvalue of covariances, shape (n, 2, 2)."""
    if len(covariance) == 0:
        return np.zeros(0)
    return np.sqrt(np.maximum(np.linalg.eigvalsh(covariance)[:, 1], 0))
