"""The neural classifier of images: stamps in, class probabilities out."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.classifiers import classified
from gammafind.networks.folder import BACKENDS, read_architecture
from gammafind.plugins.image_cnn.architecture import StampArchitecture
from gammafind.plugins.image_cnn.features import SCORE
from gammafind.plugins.image_cnn.network import BOGUS, CLASSES
from gammafind.roles.base import Sees
from gammafind.roles.classifier import Classifier
from gammafind.roles.trainer import Trainer
from gammafind.sky.bands import Band
from gammafind.sky.cutouts import CutoutLayout

_SHIPPED = {
    scores: Path(__file__).parent / "weights" / name
    for scores, name in {True: "meerlicht-probabilities", False: "meerlicht"}.items()
}
"""Weights that use the probability of the localiser, and weights that do not."""

_log = logging.getLogger("gammafind")


@dataclass(frozen=True, kw_only=True)
class ImageCnn(Classifier):
    """Convolutional network over a stamp of the image about each detection.

    Parameters
    ----------
    weights : str
        Folder of trained weights; where it is empty, shipped ones: those that were trained on what
        ``image-unet`` finds where the scores of detections are probabilities, and elsewhere those
        that were trained on what ``sep`` finds.
    backend : {"onnxruntime", "keras"}
        What runs the network.
    abstain : float
        As for `gammafind.roles.classifier.Classifier`.

    References
    ----------
    Hosenie et al. 2021, doi:10.1007/s10686-021-09757-1 (real or bogus); Stoppa et al. 2023,
    doi:10.1051/0004-6361/202347576 (stars and galaxies)
    """

    name: ClassVar[str] = "image-cnn"
    classes: ClassVar[tuple[str, ...]] = CLASSES
    fakes: ClassVar[tuple[str, ...]] = BOGUS
    sees: ClassVar[Sees] = "image"

    weights: str = ""
    backend: str = "onnxruntime"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backend not in BACKENDS:
            raise OptionError(
                f"backend is {self.backend!r}", remedy=f"It is one of {', '.join(BACKENDS)}."
            )

    @classmethod
    def trainer(cls) -> Trainer:
        """Return how the network learns from detections in simulated images."""
        from gammafind.plugins.image_cnn.training.stamp_training import StampTraining

        return StampTraining

    @property
    def layout(self) -> CutoutLayout:
        """Size of the stamps that the weights take."""
        return CutoutLayout(n_pixels=self._trained(scores=False)[1].n_pixels)

    def for_sky(self, bands: Sequence[Band], n_epochs: int) -> Self:
        """Return the classifier, after a check of its weights.

        Raises
        ------
        OptionError
            If there are several bands.
        """
        if len(bands) != 1:
            raise OptionError(
                f"the classifier {self.name} takes images in one band, not {len(bands)}",
                remedy="The classifier cnn takes maps in several bands.",
            )
        self._trained(scores=False)
        return self

    def _trained(self, *, scores: bool) -> tuple[str, StampArchitecture]:
        """Folder of the weights for detections with or without probabilities, and what is in it."""
        folder = self.weights or str(_SHIPPED[scores])
        return folder, read_architecture(folder, StampArchitecture)

    def _classify(self, cutouts: Mapping[str, np.ndarray]) -> np.ndarray:
        told = SCORE in cutouts and bool(np.all(np.isfinite(cutouts[SCORE])))
        folder, architecture = self._trained(scores=told)
        found = classified(folder, architecture, cutouts, backend=self.backend)
        _tell_seeing(cutouts["fwhm"], architecture.fwhm)
        return found


def _tell_seeing(fwhm: np.ndarray, known: tuple[float, float]) -> None:
    """Say that stars are wider or narrower than any of the training."""
    if len(fwhm) and not known[0] <= np.median(fwhm) <= known[1]:
        _log.warning(
            "stars are %.1f pixels wide; the classifier was trained on %.1f to %.1f pixels",
            np.median(fwhm),
            *known,
        )
