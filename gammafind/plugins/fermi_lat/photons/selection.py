"""The photons of one band of one channel, as they are drawn and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gammafind.plugins.fermi_lat.irf import Response
from gammafind.plugins.fermi_lat.photons.tables import area_of_each, largest_area

REACH = (1.6, 2.5)
"""True energies below and above a band by these factors count too. 5e-4 of the photons of
0.3-0.5 GeV come from lower ones, and 3e-4 from higher ones."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Photons of some event types between two measured energies, within a zenith angle.

    Parameters
    ----------
    response : Response
    low, high : float
        Measured energies in MeV.
    max_zenith : float
        In degrees.
    """

    response: Response
    low: float
    high: float
    max_zenith: float

    @cached_property
    def true_range(self) -> tuple[float, float]:
        """True energies in MeV from which photons are drawn."""
        if not self.response.dispersions:
            return self.low, self.high
        first, last = self.response.psfs[0].axes.energy_range
        return max(self.low / REACH[0], first), min(self.high * REACH[1], last)

    @cached_property
    def largest_area(self) -> float:
        """Upper limit of the effective area of all types together, in cm2."""
        return sum(largest_area(area, *self.true_range) for area in self.response.areas)

    def areas(self, energy: np.ndarray, cosine: np.ndarray) -> np.ndarray:
        """Effective area of each type for each photon, shape (n_types, n), in cm2."""
        return np.stack([area_of_each(area, energy, cosine) for area in self.response.areas])
