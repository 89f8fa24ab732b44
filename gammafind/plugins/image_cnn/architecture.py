"""What a trained classifier of images is: layers, the stamps that it takes, and its temperature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import ClassVar

import numpy as np

from gammafind.errors import OptionError, WeightsError
from gammafind.networks.classifiers import ClassifierNetwork
from gammafind.plugins.image_cnn.features import ARRAYS, SCORE, features
from gammafind.plugins.image_cnn.network import CLASSES, NETWORKS, input_shapes


@dataclass(frozen=True, kw_only=True)
class StampArchitecture(ClassifierNetwork):
    """Everything about a trained classifier of images but its weights.

    Parameters
    ----------
    network, options, checksums, temperature, shares : see `ClassifierNetwork`
        The network is one of `NETWORKS`; it is valid for any one band.
    n_pixels : int
        Side of the stamps.
    scores : bool
        Whether it uses the probability that the localiser reports.
    fwhm : tuple of float
        Least and largest width of the PSF in the training, in pixels.
    """

    sees: ClassVar[str] = "stamps of images"
    classes: ClassVar[tuple[str, ...]] = CLASSES
    networks: ClassVar[Mapping[str, Callable]] = NETWORKS

    network: str = "stamps"
    n_pixels: int = 25
    scores: bool = False
    fwhm: tuple[float, float] = (0.0, np.inf)

    def __post_init__(self) -> None:
        if self.n_pixels % 2 == 0 or self.n_pixels < 9:
            raise OptionError(
                f"n_pixels is {self.n_pixels}", remedy="It is an odd number of 9 or more."
            )
        super().__post_init__()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each input of the network."""
        return input_shapes(self.n_pixels, scores=self.scores)

    def features(self, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """What the network sees of stamps, as `gammafind.plugins.image_cnn.features.features`."""
        return features(arrays, scores=self.scores)

    @property
    def wanted(self) -> dict[str, tuple[int, ...]]:
        """Arrays of stamps that the network needs, and their shape for one detection."""
        side = (self.n_pixels, self.n_pixels)
        numbers = (*ARRAYS[3:], *([SCORE] if self.scores else []))
        return dict.fromkeys(ARRAYS[:3], side) | dict.fromkeys(numbers, ())

    @property
    def advice(self) -> tuple[str, str]:
        """What to do where arrays are missing, and where they have another shape."""
        make = "Make them by gammafind.fitting.image.stamps.make_stamps."
        return make, "Make stamps of the layout of the classifier."

    def check(self, arrays: Mapping[str, np.ndarray], path: str | PathLike) -> None:
        """Refuse as all classifiers do, and where scores are needed and not known."""
        if self.scores and not np.all(np.isfinite(arrays.get(SCORE, 0))):
            raise WeightsError(
                "the weights need the probabilities of a localiser, which are not known",
                path=path,
                remedy="Leave weights out: others are shipped for localisers without.",
            )
        super().check(arrays, path)
