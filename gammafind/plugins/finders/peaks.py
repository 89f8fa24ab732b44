"""Peaks of a significance map, by photutils."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.plugins.finders.common import check_box, find_in_patches
from gammafind.roles.localiser import Localiser
from gammafind.sky.patches import Patches
from gammafind.utils.checks import require


@dataclass(frozen=True, kw_only=True)
class PhotutilsPeaks(Localiser):
    """Peaks of a map of significances smoothed with the PSF, by photutils.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Not used.
    threshold : float
        Smallest significance of a detection above its surroundings, in standard deviations; the
        score is the significance.
    separation : float
        A detection is the highest pixel within this radius, in pixels; at least 1.
    box : Quantity
        Side of the boxes in which the level around the sources is measured, at least five pixels; 0
        uses the expected background.

    Raises
    ------
    OptionError
        If an option is out of range, or the patches lack background or PSFs.

    References
    ----------
    Bradley et al., photutils, doi:10.5281/zenodo.596036
    """

    name: ClassVar[str] = "photutils-peaks"

    threshold: float = 3.0
    separation: float = 3.0
    box: Quantity = 4 * u.deg

    def __post_init__(self) -> None:
        require("threshold", self.threshold, self.threshold > 0, "It must be above 0.")
        require("separation", self.separation, self.separation >= 1, "It must be 1 pixel or more.")
        check_box(self.box)

    def _localise(self, patches: Patches) -> QTable:
        return find_in_patches(patches, self._find, box=self.box)

    def _find(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        from photutils.detection import find_peaks
        from photutils.utils.exceptions import NoDetectionsWarning

        # photutils uses pixels above its threshold, gammafind those at or above.
        above = np.nextafter(self.threshold, -np.inf)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoDetectionsWarning)
            peaks = find_peaks(image, above, min_separation=self.separation)
        if peaks is None:
            return np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0)
        return tuple(np.asarray(peaks[name]) for name in ("x_peak", "y_peak", "peak_value"))
