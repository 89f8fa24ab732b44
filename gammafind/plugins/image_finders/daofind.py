"""DAOFIND, by photutils."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from gammafind.fitting.image.scene import Scene
from gammafind.plugins.image_finders.finder import Found, ImageFinder
from gammafind.utils.checks import require


@dataclass(frozen=True, kw_only=True)
class DaoFind(ImageFinder):
    """DAOFIND, by photutils: peaks of a zero-mean Gaussian filter that are round and sharp enough.

    The image is divided by its noise first. The width of the filter is that of the PSF at the
    centre of each part of 2048 pixels.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Not used.
    threshold : float
        Smallest signal-to-noise ratio of the filtered image; the score is its peak.
    sharpness : tuple of float
        Smallest and largest sharpness.
    roundness : tuple of float
        Smallest and largest roundness.
    reach : float
        Radius of the filter in standard deviations; the default of DAOFIND is 1.5, which omits half
        of the light of faint stars.

    Raises
    ------
    OptionError
        If an option is out of range, or the input is not an image in one band.

    References
    ----------
    Stetson 1987, doi:10.1086/131977; Bradley et al., photutils, doi:10.5281/zenodo.596036
    """

    name: ClassVar[str] = "daofind"
    score_name: ClassVar[str] = "S/N"

    threshold: float = 4.0
    sharpness: tuple[float, ...] = (0.2, 1.0)
    roundness: tuple[float, ...] = (-1.0, 1.0)
    reach: float = 2.5

    def __post_init__(self) -> None:
        require("threshold", self.threshold, self.threshold > 0, "It must be above 0.")
        require("reach", self.reach, self.reach > 0, "It must be above 0.")
        for name in ("sharpness", "roundness"):
            low, high = limits if len(limits := getattr(self, name)) == 2 else (1, 0)
            require(name, low, low < high, "Give the smallest and the largest value.")

    def _find(self, scene: Scene) -> Found:
        from photutils.detection import DAOStarFinder
        from photutils.utils.exceptions import NoDetectionsWarning

        ny, nx = scene.excess.shape
        # The filter turns unit noise into the standard deviation `relerr`. photutils scales the
        # threshold by it, so the threshold is a signal-to-noise ratio.
        finder = DAOStarFinder(
            self.threshold,
            scene.fwhm,
            sharpness_range=tuple(self.sharpness),
            roundness_range=tuple(self.roundness),
            sigma_radius=self.reach,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoDetectionsWarning)
            stars = finder(scene.excess / scene.noise, mask=~scene.valid)
        nothing = np.zeros(0)
        if stars is None:
            return Found(x=nothing, y=nothing, score=nothing, electrons=nothing)
        score = self.threshold * 10 ** (-0.4 * np.asarray(stars["daofind_mag"], dtype=float))
        x, y = (np.asarray(stars[name], dtype=float) for name in ("x_centroid", "y_centroid"))
        inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
        noise = scene.at(scene.noise, *np.where(inside, (x, y), 0))
        height = score * finder.threshold_eff / self.threshold * noise
        return Found(x=x, y=y, score=score, electrons=height / scene.profile.max())
