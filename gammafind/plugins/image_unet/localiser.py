"""The neural localiser of images: tiles in, detections with probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.errors import OptionError
from gammafind.networks.folder import best_fit, shipped_networks
from gammafind.networks.localiser import NetworkLocaliser
from gammafind.plugins.image_unet.architecture import TileArchitecture
from gammafind.plugins.image_unet.search import ImageSearch
from gammafind.roles.trainer import Trainer
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches

_SHIPPED = Path(__file__).parent / "weights"


@dataclass(frozen=True, kw_only=True)
class ImageUNet(NetworkLocaliser):
    """U-Net on tiles of an image of a camera, trained on simulations.

    The network predicts each pixel's score, the offset of the source from the pixel, and the error
    of that; its local maxima are the detections. The PSF is fitted to all detections of a tile
    together, and the score is the probability that there is a source, by what network and fit say
    together.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Makes detections of the score map, each pixel between 0 and 1, instead of the local
        maxima. Scores are then those of the clusterer, which are not probabilities.
    network : {"gammafind", "paper"}
        Which of the shipped weights are used.
    weights : str
        Folder of trained weights; if empty, shipped weights are used.
    backend : {"onnxruntime", "keras"}
        What runs the network.
    batch_size : int
        Tiles that are processed together.
    views : int
        Ways of turning and flipping each tile over which its scores are averaged: 1 to 8.
    fluxes : bool
        Let the fit have a say in the scores. Positions and fluxes are always fitted.
    threshold : float
        Least probability of a detection by the network alone.
    separation : float
        A detection has the highest score within this radius, in pixels; at least 1.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 3 (the network).
    """

    name: ClassVar[str] = "image-unet"
    sees: ClassVar[str] = "image"

    @classmethod
    def trainer(cls) -> Trainer:
        """Return how the network learns from tiles of simulated images."""
        from gammafind.plugins.image_unet.training.tile_training import TileTraining

        return TileTraining

    def _localise_sky(
        self,
        observation: Observation,
        grid: PatchGrid,
        n_pixels: Sequence[int] | None,
        rng: np.random.Generator,
    ) -> QTable:
        if not observation.is_image:
            raise self._no_image()
        search = self._search()
        search.architecture.check(observation, self._folder)
        if self.clusterer is not None or not self.fluxes or search.architecture.ranking is None:
            return search.look(observation).table
        return search.find(observation)

    def _localise(self, patches: Patches) -> QTable:
        raise self._no_image()

    def _no_image(self) -> OptionError:
        return OptionError(
            f"{self.name} takes images of a camera, and these are maps of the sky",
            remedy="Search with --localiser unet or likelihood.",
        )

    @property
    def _folder(self) -> Path:
        """Folder of the weights."""
        if self.weights:
            return Path(self.weights)
        return best_fit(
            shipped_networks(_SHIPPED, TileArchitecture),
            lambda one: one.network == self.network,
            wanted=f"of the network {self.network} are shipped for images",
        )

    def _search(self) -> ImageSearch:
        """Search with the options of the localiser."""
        folder = self._folder
        return ImageSearch(**self._at_work(folder, self._calibrated(folder, TileArchitecture)))
