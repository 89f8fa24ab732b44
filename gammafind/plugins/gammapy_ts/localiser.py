"""Peaks of the TS maps of patches, computed by gammapy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.errors import MissingBackendError
from gammafind.roles.localiser import Localiser, patch_by_patch
from gammafind.sky.patches import Patches, require_parts
from gammafind.utils.checks import require


@dataclass(frozen=True, kw_only=True)
class GammapyTs(Localiser):
    """Peaks of the TS maps of gammapy, which fits the flux of a point source in every pixel.

    All bands are converted to the pixels of the finest one; the background is the expected one.
    Needs the extra ``gamma``. A patch takes seconds to minutes, so this localiser is meant for
    comparisons on a few patches.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Not used.
    threshold : float
        Smallest TS of a detection; the score is the TS.
    index : float
        Photon index of the searched sources.
    separation : float
        Smallest distance of two detections in pixels; at least 1.
    containment : float
        Share of the widest PSF within the kernel.

    Raises
    ------
    MissingBackendError
        If gammapy is not installed.
    OptionError
        If an option is out of range, the patches lack background, exposure or PSFs, or their bands
        are not consecutive.

    References
    ----------
    Donath et al. 2023, doi:10.1051/0004-6361/202346488
    Stewart 2009, doi:10.1051/0004-6361:200811311
    """

    name: ClassVar[str] = "gammapy-ts"

    threshold: float = 16.0
    index: float = 2.3
    separation: float = 3.0
    containment: float = 0.9

    def __post_init__(self) -> None:
        require("threshold", self.threshold, self.threshold > 0, "It must be above 0.")
        require("index", self.index, True, "It must be a number.")
        require("separation", self.separation, self.separation >= 1, "It must be 1 pixel or more.")
        inside = 0 < self.containment < 1
        require("containment", self.containment, inside, "It must be between 0 and 1.")

    def _localise(self, patches: Patches) -> QTable:
        try:
            from gammafind.plugins.gammapy_ts.maps import patch_dataset, ts_peaks
        except ImportError as error:
            raise MissingBackendError(
                f"the localiser gammapy-ts needs gammapy, which cannot be imported ({error})",
                remedy="Install it: pip install 'gammafind[gamma]'.",
            ) from None
        require_parts(patches, "background", "exposure", "psfs", remedy="The TS maps need them.")

        def find(index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            return ts_peaks(
                patch_dataset(patches, index),
                index=self.index,
                threshold=self.threshold,
                separation=self.separation,
                containment=self.containment,
                psfs=patches.psfs,
            )

        table = patch_by_patch(patches, find, what="TS maps of gammapy")
        table["ts"] = table["score"]
        return table
