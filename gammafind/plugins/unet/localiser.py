"""The neural localiser: patches in, detections with probabilities out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.errors import OptionError
from gammafind.networks.folder import best_fit, shipped_networks
from gammafind.networks.localiser import NetworkLocaliser
from gammafind.networks.tiers import BandResolution
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.patch_network import PatchNetwork
from gammafind.plugins.unet.search import INSIDE, SkySearch
from gammafind.roles.localiser import SCORE_MAP
from gammafind.roles.trainer import Trainer
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.covering import covering_patches
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid, patch_widths
from gammafind.sky.patches import Patches
from gammafind.sky.stacks import PatchStacks

_SHIPPED = Path(__file__).parent / "weights"
_NO_SPHERE = "unet searches HEALPix maps, and these have a WCS"


@dataclass(frozen=True, kw_only=True)
class UNet(NetworkLocaliser):
    """U-Net over bands of several resolutions, trained on simulations.

    The network predicts each pixel's score, the offset of the source from the pixel, and the error
    of that; its local maxima are the detections. On a sky each detection is then fitted by the
    likelihood with its neighbours in place, which gives its flux, and the score is the probability
    that there is a source, by what network and likelihood say together.

    Parameters
    ----------
    clusterer : Clusterer, optional
        Makes detections of the score map, each pixel between 0 and 1, instead of the local
        maxima. Scores are then those of the clusterer, which are not probabilities. ``disk`` is
        that of the paper.
    network : {"gammafind", "paper"}
        Which of the shipped weights are used.
    weights : str
        Folder of trained weights; where it is empty, shipped weights for the bands and widths of
        the patches.
    backend : {"onnxruntime", "keras"}
        What runs the network.
    batch_size : int
        Patches that are processed together.
    views : int
        Ways of turning and flipping each patch over which its scores are averaged: 1 to 8. They
        make positions better by some percent; probabilities hardly change.
    fluxes : bool
        Fit the fluxes of detections, and let the likelihood have a say in their scores. Without
        it, and in patches apart from a sky, the network alone decides.
    threshold : float
        Least probability of a detection by the network alone, in the patch that sees it best.
    separation : float
        A detection has the highest score within this radius, in pixels; at least 1.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 3.
    """

    name: ClassVar[str] = "unet"
    sees: ClassVar[str] = "maps"

    views: int = 2
    threshold: float = 0.08

    @classmethod
    def trainer(cls) -> Trainer:
        """Return how the network learns from patches of simulated skies."""
        from gammafind.plugins.unet.training.patch_training import PatchTraining

        return PatchTraining

    def cannot_search(self, observation: Observation) -> str:
        """Why it cannot search maps with a WCS, or of bands without weights."""
        if not observation.is_sphere:
            return _NO_SPHERE
        bands = observation.counts.bands
        known = shipped_widths(self.network, bands) or shipped_for_any_bands(self.network)
        if self.weights or known:
            return ""
        names = ", ".join(band.name for band in bands)
        return f"the network {self.network} has no weights for the bands {names}"

    def _localise_sky(
        self,
        observation: Observation,
        grid: PatchGrid,
        n_pixels: Sequence[int] | None,
        rng: np.random.Generator,
    ) -> QTable:
        if not observation.is_sphere:
            raise OptionError(
                _NO_SPHERE,
                remedy="Bin the photons in HEALPix pixels, or search with --localiser likelihood.",
            )
        widths = tuple(self._widths(observation, grid, n_pixels))
        stacks = PatchStacks(observation, grid, widths, rng)
        network = self._network(_outline(stacks))
        network.architecture.warn_of_other_maps(observation.counts.pixels)
        features = network.architecture.features
        spread = _resolution(observation, grid).spread if features.tiers else features.spread
        stacks = replace(stacks, spread=spread, exposure=features.exposure)
        search = SkySearch(network=network)
        ranking = network.architecture.ranking_of(observation)
        if self.clusterer is not None or not self.fluxes or ranking is None:
            seen = search.sightings(search.rough(stacks))
            found = search.merged(seen)
            found.meta[SCORE_MAP] = search.score_map(seen, observation.counts)
            return found
        # With fluxes, the mean over more patches and views adds nothing to what the fits know.
        width = network.architecture.score_width
        chosen = covering_patches(grid, width, margin=INSIDE)
        return search.find(replace(stacks, grid=grid[chosen]))

    def _localise(self, patches: Patches) -> QTable:
        return self._network(patches).find(patches)

    def _widths(
        self, observation: Observation, grid: PatchGrid, given: Sequence[int] | None
    ) -> Sequence[int]:
        """Pixels a side of the patches that the weights see, or those given, or of the maps."""
        bands = observation.counts.bands
        if self.weights:
            known = self._calibrated(Path(self.weights), Architecture)
            widths = known.widths if same_edges(known.bands, bands) else ()
            of_tiers = known.features.tiers
        else:
            widths = shipped_widths(self.network, bands)
            of_tiers = not widths and shipped_for_any_bands(self.network)
        if of_tiers:
            return _resolution(observation, grid).widths
        return given or widths or patch_widths(observation.counts.pixels, grid)

    def _network(self, patches: Patches) -> PatchNetwork:
        """Trained network for patches, with the options of the localiser."""
        folder = Path(self.weights) if self.weights else shipped_folder(self.network, patches)
        architecture = self._calibrated(folder, Architecture)
        architecture.check(patches, folder)
        return PatchNetwork(**self._at_work(folder, architecture), source=folder)


def _resolution(observation: Observation, grid: PatchGrid) -> BandResolution:
    """How sharply each band is seen in the patches of a grid."""
    size = grid.pixel_size(1)
    return BandResolution.of_maps(observation.psfs, observation.counts.pixels, size)


def _outline(stacks: PatchStacks) -> Patches:
    """The first patch of a sky, empty: as much as is needed to choose the weights."""
    empty = tuple(np.zeros((1, width, width), dtype=np.float32) for width in stacks.n_pixels)
    return Patches(grid=stacks.grid[:1], bands=stacks.observation.counts.bands, counts=empty)


def shipped_folder(network: str, patches: Patches) -> Path:
    """Folder of the weights that come with the package for such patches.

    Parameters
    ----------
    network : str
    patches : Patches

    Raises
    ------
    WeightsError
        If there are none.
    """
    bands = ", ".join(band.name for band in patches.bands)
    shipped = shipped_networks(_SHIPPED, Architecture)
    # One that was trained for these bands comes first.
    ordered = dict(sorted(shipped.items(), key=lambda one: one[1].features.tiers))
    return best_fit(
        ordered,
        lambda one: one.network == network and one.fits(patches),
        wanted=f"of the network {network} are shipped for patches of {bands}, "
        f"{list(patches.n_pixels)} pixels wide",
    )


def shipped_for_any_bands(network: str) -> bool:
    """Whether weights for any bands come with the package."""
    shipped = shipped_networks(_SHIPPED, Architecture).values()
    return any(one.network == network and one.features.tiers for one in shipped)


def shipped_widths(network: str, bands: Sequence[Band]) -> tuple[int, ...]:
    """Pixels a side of the patches for which weights come with the package, () if none do.

    Parameters
    ----------
    network : str
    bands : sequence of Band
    """
    shipped = shipped_networks(_SHIPPED, Architecture).values()
    known = (one for one in shipped if one.network == network)
    return next((one.widths for one in known if same_edges(one.bands, bands)), ())
