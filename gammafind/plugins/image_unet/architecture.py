"""What a network for tiles of images is: layers, the tiles that it takes, what its scores mean."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from os import PathLike
from typing import ClassVar

from gammafind.errors import OptionError, UntrainedWarning
from gammafind.networks.trained import LocaliserNetwork
from gammafind.plugins.image_unet.features import N_CHANNELS
from gammafind.sky.observation import Observation

_TOLERANCE = 0.1
"""Fraction by which the width of a PSF may be outside those of the training."""


@dataclass(frozen=True, kw_only=True)
class TileArchitecture(LocaliserNetwork):
    """Everything about a network for tiles of images but its weights.

    What it sees is in signal-to-noise ratios and pixels, so that it is valid for images in any one
    band.

    Parameters
    ----------
    network, bands, options, checksums, calibration, ranking : see `LocaliserNetwork`
        The bands are those of the training.
    side : int
        Pixels a side of a tile.
    fwhm : tuple of float
        Least and largest width of the PSF that it was trained with, in pixels; empty where that
        is not known.
    """

    sees: ClassVar[str] = "tiles of images"

    side: int
    fwhm: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.fwhm and not (len(self.fwhm) == 2 and 0 < self.fwhm[0] <= self.fwhm[1]):
            raise OptionError(
                f"the network was trained with PSFs of {self.fwhm} pixels",
                remedy="Give the least and the largest width.",
            )

    @property
    def inputs(self) -> tuple[tuple[int, int], ...]:
        """Width and channels of the input."""
        return ((self.side, N_CHANNELS),)

    def check(self, observation: Observation, path: str | PathLike) -> None:
        """Warn where the PSF of an image is wider or narrower than those of the training.

        Parameters
        ----------
        observation : Observation
        path : path-like
            The weights, for the message.
        """
        fwhm = observation.psfs[0].fwhm / observation.counts.pixels[0].pixel_size.to_value("rad")
        if not self.fwhm:
            return
        low, high = self.fwhm[0] * (1 - _TOLERANCE), self.fwhm[1] * (1 + _TOLERANCE)
        if not low <= fwhm <= high:
            warnings.warn(
                f"the PSF is {fwhm:.1f} pixels wide (FWHM); the weights {path} were trained with "
                f"{self.fwhm[0]:.1f} to {self.fwhm[1]:.1f}: expect to miss sources, or train some "
                "for this camera",
                UntrainedWarning,
                stacklevel=2,
            )
