"""Blobs of a significance map: maxima of the Laplacian of Gaussians, by scikit-image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.errors import MissingBackendError
from gammafind.interfaces import Localiser
from gammafind.plugins.finders.common import find_in_patches, require
from gammafind.sky.patches import Patches

__all__ = ["LaplacianOfGaussian"]

_RESPONSE = 0.5
"""Scale-normalised Laplacian of a Gaussian blob of height 1, at its own width."""


@dataclass(frozen=True, kw_only=True)
class LaplacianOfGaussian(Localiser):
    """Blobs of a map of significances, by the Laplacian of Gaussians of scikit-image.

    The sources of optical images have been looked for so. Needs the extra ``finders``.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Not used.
    threshold : float
        Least significance of a detection, in standard deviations; it is the score. The Laplacian
        of a blob reaches half its height, which is what is asked of it.
    min_sigma, max_sigma : float
        Least and largest standard deviation of a blob, in pixels.
    n_sigma : int
        How many widths between them are tried.
    overlap : float
        Of two blobs whose areas overlap by more than this share the smaller is dropped.

    Raises
    ------
    MissingBackendError
        If scikit-image is not installed.
    OptionError
        If an option is out of range, or the patches lack background or PSFs.

    References
    ----------
    Lindeberg 1998, doi:10.1023/A:1008045108935; van der Walt et al. 2014, doi:10.7717/peerj.453
    """

    name: ClassVar[str] = "log"

    threshold: float = 3.5
    min_sigma: float = 1.0
    max_sigma: float = 4.0
    n_sigma: int = 4
    overlap: float = 0.5

    def __post_init__(self) -> None:
        require("threshold", self.threshold, self.threshold > 0, "It must be above 0.")
        require("min_sigma", self.min_sigma, self.min_sigma > 0, "It must be above 0.")
        widest = self.max_sigma >= self.min_sigma
        require("max_sigma", self.max_sigma, widest, f"It must be {self.min_sigma} or more.")
        require("n_sigma", self.n_sigma, self.n_sigma >= 1, "It must be 1 or more.")
        require("overlap", self.overlap, 0 <= self.overlap <= 1, "It must lie between 0 and 1.")

    def _localise(self, patches: Patches) -> QTable:
        try:
            from skimage.feature import blob_log
        except ImportError:
            raise MissingBackendError(
                "the localiser log needs scikit-image, which is not installed",
                remedy="Install it: pip install 'gammafind[finders]'.",
            ) from None

        def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            blobs = blob_log(
                image,
                min_sigma=self.min_sigma,
                max_sigma=self.max_sigma,
                num_sigma=self.n_sigma,
                threshold=_RESPONSE * self.threshold,
                overlap=self.overlap,
            )
            row, column = blobs[:, :2].astype(int).T
            strong = image[row, column] >= self.threshold
            return column[strong], row[strong]

        return find_in_patches(patches, find)
