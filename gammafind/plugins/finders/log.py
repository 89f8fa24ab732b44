"""Blobs of a significance map: maxima of the Laplacian of Gaussians, by scikit-image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity
from scipy.ndimage import gaussian_laplace

from gammafind.errors import MissingBackendError
from gammafind.plugins.finders.common import check_box, find_in_patches
from gammafind.roles.localiser import Localiser
from gammafind.sky.patches import Patches
from gammafind.utils.checks import require

_HEIGHT = 2.0
"""Ratio of the height of a Gaussian blob to its scale-normalised Laplacian at its own width."""


@dataclass(frozen=True, kw_only=True)
class LaplacianOfGaussian(Localiser):
    """Blobs of a map of significances, by the Laplacian of Gaussians of scikit-image.

    This method is common for optical images. Needs the extra ``finders``.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Not used.
    threshold : float
        Smallest score of a detection: the height of the blob above its surroundings, in standard
        deviations. It is twice the scale-normalised Laplacian, as for a Gaussian blob, but at most
        the significance of the pixel.
    min_sigma, max_sigma : float
        Smallest and largest standard deviation of a blob, in pixels.
    n_sigma : int
        Number of widths between them.
    overlap : float
        If the areas of two blobs overlap by more than this share, the smaller one is dropped.
    box : Quantity
        Side of the boxes in which the level around the sources is measured, at least five pixels; 0
        uses the expected background.

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

    threshold: float = 3.0
    min_sigma: float = 1.0
    max_sigma: float = 4.0
    n_sigma: int = 4
    overlap: float = 0.5
    box: Quantity = 4 * u.deg

    def __post_init__(self) -> None:
        require("threshold", self.threshold, self.threshold > 0, "It must be above 0.")
        require("min_sigma", self.min_sigma, self.min_sigma > 0, "It must be above 0.")
        widest = self.max_sigma >= self.min_sigma
        require("max_sigma", self.max_sigma, widest, f"It must be {self.min_sigma} or more.")
        require("n_sigma", self.n_sigma, self.n_sigma >= 1, "It must be 1 or more.")
        require("overlap", self.overlap, 0 <= self.overlap <= 1, "It must be between 0 and 1.")
        check_box(self.box)

    def _localise(self, patches: Patches) -> QTable:
        try:
            from skimage.feature import blob_log
        except ImportError:
            raise MissingBackendError(
                "the localiser log needs scikit-image, which is not installed",
                remedy="Install it: pip install 'gammafind[finders]'.",
            ) from None

        def find(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            blobs = blob_log(
                image,
                min_sigma=self.min_sigma,
                max_sigma=self.max_sigma,
                num_sigma=self.n_sigma,
                threshold=self.threshold / _HEIGHT,
                overlap=self.overlap,
            )
            row, column = blobs[:, :2].astype(int).T
            score = np.minimum(_heights(image, row, column, blobs[:, 2]), image[row, column])
            strong = score >= self.threshold
            return column[strong], row[strong], score[strong]

        return find_in_patches(patches, find, box=self.box)


def _heights(
    image: np.ndarray, row: np.ndarray, column: np.ndarray, sigma: np.ndarray
) -> np.ndarray:
    """Heights of blobs above their surroundings, from the Laplacian at their widths."""
    heights = np.zeros(len(sigma))
    for width in np.unique(sigma):
        these = sigma == width
        laplacian = -(width**2) * gaussian_laplace(image, width)
        heights[these] = _HEIGHT * laplacian[row[these], column[these]]
    return heights
