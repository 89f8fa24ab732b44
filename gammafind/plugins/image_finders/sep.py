"""Source Extractor as a library: sep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gammafind.errors import MissingBackendError, OptionError
from gammafind.fitting.image.scene import Scene
from gammafind.plugins.image_finders.finder import FWHM_OF_SIGMA, Found, ImageFinder
from gammafind.utils.checks import require

_BUFFER = 3_000_000
"""Pixels above the threshold that sep can hold: enough for crowded parts, limits memory."""


@dataclass(frozen=True, kw_only=True)
class SourceExtractor(ImageFinder):
    """Source Extractor, by sep: matched filter, thresholding, deblending, windowed centroids.

    The filter is the PSF of the image at the centre of each part of 2048 pixels. Needs the extra
    ``optical``.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Not used.
    threshold : float
        Smallest signal-to-noise ratio of the filtered image; the score is its peak.
    min_area : int
        Smallest number of pixels above the threshold.
    deblend_levels : int
        Levels between threshold and peak for the separation of sources.
    deblend_contrast : float
        Smallest flux share of a part of a blend.
    clean : bool
        Drop detections that are due to the wings of a brighter neighbour.

    Raises
    ------
    MissingBackendError
        If sep is not installed.
    OptionError
        If an option is out of range, or the input is not an image in one band.

    References
    ----------
    Bertin & Arnouts 1996, doi:10.1051/aas:1996164; Barbary 2016, doi:10.21105/joss.00058
    """

    name: ClassVar[str] = "sep"
    score_name: ClassVar[str] = "S/N"

    threshold: float = 4.0
    min_area: int = 1
    deblend_levels: int = 32
    deblend_contrast: float = 0.005
    clean: bool = True

    def __post_init__(self) -> None:
        require("threshold", self.threshold, self.threshold > 0, "It must be above 0.")
        require("min_area", self.min_area, self.min_area >= 1, "It must be 1 or more.")
        require("deblend_levels", self.deblend_levels, self.deblend_levels >= 1, "Give 1 or more.")
        inside = 0 <= self.deblend_contrast <= 1
        require("deblend_contrast", self.deblend_contrast, inside, "It must be between 0 and 1.")

    def _find(self, scene: Scene) -> Found:
        try:
            import sep
        except ImportError:
            raise MissingBackendError(
                "the localiser sep needs sep, which is not installed",
                remedy="Install it: pip install 'gammafind[optical]'.",
            ) from None
        # A normalised kernel reduces unit noise to this standard deviation.
        unit = np.sqrt(np.sum(scene.kernel**2))
        sep.set_extract_pixstack(_BUFFER)
        sep.set_sub_object_limit(100_000)
        try:
            found = sep.extract(
                scene.excess / scene.noise,
                self.threshold * unit,
                mask=~scene.valid,
                minarea=self.min_area,
                filter_kernel=scene.kernel,
                filter_type="conv",
                deblend_nthresh=self.deblend_levels,
                deblend_cont=self.deblend_contrast,
                clean=self.clean,
            )
        except Exception as fault:  # sep raises plain Exception when its buffers are full.
            raise OptionError(f"sep failed ({fault})", remedy="Use a higher threshold.") from fault
        x, y = _windowed(sep, scene, found["x"], found["y"])
        score = found["cpeak"] / unit
        noise = scene.noise[found["ycpeak"], found["xcpeak"]]
        electrons = score * noise / np.sqrt(np.sum(scene.profile**2))
        return Found(x=x, y=y, score=score, electrons=electrons)


def _windowed(
    sep: object, scene: Scene, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Centroids in a Gaussian window as wide as the PSF; barycentres if these diverge."""
    if not len(x):
        return x, y
    sigma = scene.fwhm / FWHM_OF_SIGMA
    new_x, new_y, flag = sep.winpos(scene.excess, x, y, sigma, mask=~scene.valid)
    good = (np.hypot(new_x - x, new_y - y) < scene.fwhm / 2) & ((flag & sep.APER_TRUNC) == 0)
    return np.where(good, new_x, x), np.where(good, new_y, y)
