"""Source Extractor as a library: sep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gammafind.errors import MissingBackendError, OptionError
from gammafind.fitting.image.scene import Scene
from gammafind.plugins.image_finders.finder import FWHM_OF_SIGMA, Found, ImageFinder, require

__all__ = ["SourceExtractor"]

_BUFFER = 3_000_000


@dataclass(frozen=True, kw_only=True)
class SourceExtractor(ImageFinder):
    """Source Extractor, by sep: matched filter, thresholding, deblending, windowed centroids.

    The filter is the PSF of the image, that of the middle of each part of 2048 pixels. Needs the
    extra ``optical``.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Not used.
    threshold : float
        Least signal-to-noise ratio of the filtered image; its peak is the score.
    min_area : int
        Least number of pixels above the threshold.
    deblend_levels : int
        Levels between threshold and peak at which sources are told apart.
    deblend_contrast : float
        Least share of the flux of the parts of a blend.
    clean : bool
        Drop what would not be there without a brighter neighbour.

    Raises
    ------
    MissingBackendError
        If sep is not installed.
    OptionError
        If an option is out of range, or there is no image in one band.

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
        require("deblend_contrast", self.deblend_contrast, inside, "It lies between 0 and 1.")

    def _find(self, scene: Scene) -> Found:
        try:
            import sep
        except ImportError:
            raise MissingBackendError(
                "the localiser sep needs sep, which is not installed",
                remedy="Install it: pip install 'gammafind[optical]'.",
            ) from None
        # Where the noise is one, a kernel of sum one leaves this much of it.
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
        except Exception as fault:  # sep raises Exception itself when its buffers are full.
            raise OptionError(
                f"sep gave up ({fault})", remedy="A higher threshold gives it less to do."
            ) from fault
        x, y = _windowed(sep, scene, found["x"], found["y"])
        score = found["cpeak"] / unit
        noise = scene.noise[found["ycpeak"], found["xcpeak"]]
        electrons = score * noise / np.sqrt(np.sum(scene.profile**2))
        return Found(x=x, y=y, score=score, electrons=electrons)


def _windowed(
    sep: object, scene: Scene, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Centroids in a Gaussian window as wide as the PSF; barycentres where they run away."""
    if not len(x):
        return x, y
    sigma = scene.fwhm / FWHM_OF_SIGMA
    new_x, new_y, flag = sep.winpos(scene.excess, x, y, sigma, mask=~scene.valid)
    good = (np.hypot(new_x - x, new_y - y) < scene.fwhm / 2) & ((flag & sep.APER_TRUNC) == 0)
    return np.where(good, new_x, x), np.where(good, new_y, y)
