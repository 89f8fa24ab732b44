"""The neural localiser: patches in, detections with probabilities out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.errors import OptionError, WeightsError
from gammafind.networks.peaks import PeakFinder
from gammafind.networks.trained import TrainedNetwork
from gammafind.networks.unet import NETWORKS
from gammafind.networks.views import VIEWS
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.folder import (
    read_architecture,
    shipped_folder,
    shipped_tile_folder,
    shipped_widths,
)
from gammafind.plugins.unet.image_search import TileSearch, search_image
from gammafind.plugins.unet.patch_network import PatchNetwork
from gammafind.plugins.unet.runners import BACKENDS
from gammafind.plugins.unet.search import SkySearch
from gammafind.plugins.unet.tile_architecture import TileArchitecture
from gammafind.roles.localiser import Localiser
from gammafind.sky.bands import same_edges
from gammafind.sky.observation import Observation
from gammafind.sky.patches import Patches, PatchGrid, patch_widths
from gammafind.sky.stacks import PatchStacks

__all__ = ["UNet"]

_PUBLISHED = 0.8


@dataclass(frozen=True, kw_only=True)
class UNet(Localiser):
    """U-Net over bands of several resolutions, or on tiles of an image, trained on simulations.

    The network tells each pixel's score, the offset of the source from the pixel, and the error
    of that; its local maxima are the detections. On a sky each detection is then fitted by the
    likelihood with its neighbours in place, which gives its flux, and the score is the probability
    that there is a source, by what network and likelihood say together.

    In an image of a camera the PSF is fitted to all detections of a tile together instead.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Makes detections of the score map, each pixel between 0 and 1, in the place of the local
        maxima. Scores are then those of the clusterer, which are no probabilities. ``disk`` is
        that of the paper.
    network : {"gammafind", "paper"}
        Which of the shipped weights are used.
    weights : str
        Folder of trained weights; where it is empty, shipped weights for the bands and widths of
        the patches, or for images.
    backend : {"onnxruntime", "keras"}
        What runs the network.
    batch_size : int
        Patches or tiles that are looked at together.
    views : int
        Ways of turning and flipping each patch over which its scores are averaged: 1 to 8.
    fluxes : bool
        Fit the fluxes of detections, and let the likelihood have a say in their scores. Without
        it, and in patches apart from a sky, the network alone decides. Images are always fitted;
        without it the fit has no say.
    threshold : float
        Least probability of a detection by the network alone, in the patch that sees it best.
    separation : float
        A detection has the highest score within this radius, in pixels; at least 1.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 3.
    """

    name: ClassVar[str] = "unet"

    network: str = "gammafind"
    weights: str = ""
    backend: str = "onnxruntime"
    batch_size: int = 32
    views: int = 4
    fluxes: bool = True
    threshold: float = 0.05
    separation: float = 2.0

    def __post_init__(self) -> None:
        _check("network", self.network, self.network in NETWORKS, _one_of(NETWORKS))
        _check("backend", self.backend, self.backend in BACKENDS, _one_of(BACKENDS))
        _check("batch_size", self.batch_size, self.batch_size >= 1, "It must be 1 or more.")
        _check("views", self.views, self.views in range(1, len(VIEWS) + 1), "It is 1 to 8.")
        _check("threshold", self.threshold, 0 < self.threshold < 1, "It lies between 0 and 1.")
        _check(
            "separation",
            self.separation,
            1 <= self.separation < np.inf,
            "It must be 1 pixel or more.",
        )

    @property
    def score_name(self) -> str:
        """Probability, but for the scores of a clusterer."""
        return "probability" if self.clusterer is None else "score"

    @property
    def published_score(self) -> float:
        """Four to one that there is a source; of a clusterer, all that it finds."""
        return _PUBLISHED if self.clusterer is None else -np.inf

    def _localise_sky(
        self,
        observation: Observation,
        grid: PatchGrid,
        n_pixels: Sequence[int] | None,
        rng: np.random.Generator,
    ) -> QTable:
        if observation.is_image:
            return self._on_image(observation)
        if not observation.is_sphere:
            raise OptionError(
                "unet looks at HEALPix maps, and these have a WCS",
                remedy="Bin the photons in HEALPix pixels, or search with --localiser likelihood.",
            )
        widths = tuple(n_pixels or self._widths(observation, grid))
        stacks = PatchStacks(observation, grid, widths, rng)
        network = self._network(_outline(stacks))
        network.architecture.warn_of_other_maps(observation.counts.pixels)
        stacks = replace(stacks, spread=network.architecture.features.spread)
        search = SkySearch(network=network)
        if self.clusterer is not None or not self.fluxes or network.architecture.ranking is None:
            return search.look(search.rough(stacks))
        return search.find(stacks)

    def _on_image(self, observation: Observation) -> QTable:
        """Detections in an image, scored by all that is known."""
        found, evidence = self.look_at(observation)
        ranking = self._for_images()[1].ranking
        if self.fluxes and self.clusterer is None and ranking is not None and len(found):
            found["score"] = ranking.probability(evidence)
        return found

    def look_at(self, observation: Observation) -> tuple[QTable, np.ndarray]:
        """Detections in an image by the network alone, and what is known of each beside.

        Parameters
        ----------
        observation : Observation

        Returns
        -------
        detections : QTable
            Schema DETECTIONS.
        evidence : ndarray, shape (n, k)
            As for the `Ranking` of weights for images.
        """
        folder, architecture = self._for_images()
        architecture.check(observation, folder)
        search = TileSearch(
            run=BACKENDS[self.backend](folder, architecture),
            find=partial(self._peaks, calibration=architecture.calibration),
            architecture=architecture,
            batch_size=self.batch_size,
            views=self.views,
        )
        return search_image(observation, search)

    def _for_images(self) -> tuple[Path, TileArchitecture]:
        """Folder of the weights for images, and what is in it."""
        folder = Path(self.weights) if self.weights else shipped_tile_folder(self.network)
        return folder, _of_kind(TileArchitecture, folder)

    @property
    def _peaks(self) -> PeakFinder:
        return PeakFinder(
            threshold=self.threshold, separation=self.separation, clusterer=self.clusterer
        )

    def _widths(self, observation: Observation, grid: PatchGrid) -> tuple[int, ...]:
        """Pixels a side for which there are weights for the bands, or as fine as the maps."""
        bands = observation.counts.bands
        if self.weights:
            known = _of_kind(Architecture, Path(self.weights))
            widths = known.widths if same_edges(known.bands, bands) else ()
        else:
            widths = shipped_widths(self.network, bands)
        return widths or patch_widths(observation.counts.pixels, grid)

    def _network(self, patches: Patches) -> PatchNetwork:
        """Trained network for patches, with the options of the localiser."""
        folder = Path(self.weights) if self.weights else shipped_folder(self.network, patches)
        architecture = _of_kind(Architecture, folder)
        architecture.check(patches, folder)
        return PatchNetwork(
            run=BACKENDS[self.backend](folder, architecture),
            architecture=architecture,
            peaks=self._peaks,
            batch_size=self.batch_size,
            views=self.views,
            source=folder,
        )

    def _localise(self, patches: Patches) -> QTable:
        return self._network(patches).find(patches)


def _of_kind(kind: type[TrainedNetwork], folder: Path) -> TrainedNetwork:
    """Network of a folder of weights, which must see what is looked at."""
    architecture = read_architecture(folder)
    if not isinstance(architecture, kind):
        raise WeightsError(
            f"the weights were trained for {architecture.sees}, not for {kind.sees}",
            path=folder,
            remedy="Use the weights of this preset, or train some for it.",
        )
    return architecture


def _outline(stacks: PatchStacks) -> Patches:
    """The first patch of a sky, empty: as much as is needed to choose the weights."""
    empty = tuple(np.zeros((1, width, width), dtype=np.float32) for width in stacks.n_pixels)
    return Patches(grid=stacks.grid[:1], bands=stacks.observation.counts.bands, counts=empty)


def _check(name: str, value: object, accepted: bool, remedy: str) -> None:
    if not accepted:
        raise OptionError(f"{name} is {value!r}", remedy=remedy)


def _one_of(names: Iterable[str]) -> str:
    return f"It is one of {', '.join(names)}."
