"""The neural localiser: patches in, detections with probabilities out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack

from gammafind.catalogue.merging import merge_detections
from gammafind.catalogue.schema import PATCH_DETECTIONS, empty_table
from gammafind.errors import OptionError, WeightsError
from gammafind.networks.calibration import Calibration
from gammafind.networks.features import features
from gammafind.networks.peaks import Peaks, find_clusters, find_maxima
from gammafind.networks.trained import TrainedNetwork
from gammafind.networks.unet import NETWORKS
from gammafind.networks.views import VIEWS, averaged
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.fluxes import with_background_of, with_fluxes, with_rough_background
from gammafind.plugins.unet.folder import (
    read_architecture,
    shipped_folder,
    shipped_tile_folder,
    shipped_widths,
)
from gammafind.plugins.unet.image_search import TileSearch, search_image
from gammafind.plugins.unet.runners import BACKENDS
from gammafind.plugins.unet.second_look import sure_sources, with_hidden
from gammafind.plugins.unet.sightings import mean_scores
from gammafind.plugins.unet.tile_architecture import TileArchitecture
from gammafind.roles.localiser import Localiser
from gammafind.roles.trainer import Trainer
from gammafind.sky.bands import same_edges
from gammafind.sky.observation import Observation
from gammafind.sky.patches import Patches, PatchGrid, patch_widths
from gammafind.sky.projection import vectors_in
from gammafind.sky.stacks import PatchStacks
from gammafind.utils.progress import track

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

    @classmethod
    def trainer(cls) -> Trainer:
        """Return how the network learns from patches of simulated skies."""
        from gammafind.plugins.unet.training.trainer import UNetTrainer

        return UNetTrainer()

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
        _, architecture = self._trained(_outline(stacks))
        architecture.warn_of_other_maps(observation.counts.pixels)
        stacks = replace(stacks, spread=architecture.features.spread)
        rough = with_rough_background(stacks)
        if self.clusterer is not None or not self.fluxes or architecture.ranking is None:
            return self.find(rough)
        found, fitted = self._look_twice(rough, stacks)
        return with_fluxes(found, fitted, stacks, architecture) if len(found) else found

    def _look_twice(self, rough: PatchStacks, given: PatchStacks) -> tuple[QTable, PatchStacks]:
        """Detections of both looks, and the patches of the first, their background fitted."""
        quick = replace(self, views=1)
        first = quick.find(rough)
        sure = sure_sources(first, rough.observation)
        fitted = with_background_of(first, sure, rough, given)
        found = self.find(fitted)
        if sure is not None:
            found = with_hidden(found, quick.find(sure.in_background_of(fitted)))
        return found, fitted

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

    def _peaks(self, output: np.ndarray, *, calibration: Calibration) -> Peaks:
        """Detections in the output of a network, with calibrated scores."""
        if self.clusterer is not None:
            return find_clusters(output, self.clusterer)
        least = calibration.logit(self.threshold)
        peaks = find_maxima(output, least=least, radius=self.separation)
        return replace(peaks, score=calibration.probability(peaks.score))

    def find(self, stacks: PatchStacks) -> QTable:
        """Detections by the network alone, each source once.

        Parameters
        ----------
        stacks : PatchStacks

        Returns
        -------
        QTable
            Schema DETECTIONS.
        """
        folder, architecture = self._trained(_outline(stacks))
        tables, maps = [], []
        for start, patches in stacks:
            for rows, output in self._outputs(patches, folder, architecture):
                table = self._detections(output, architecture, rows, patches)
                table["patch"] += start
                tables.append(table)
                maps.append(output[..., 0].astype(np.float16))
        found = vstack(tables) if tables else empty_table(PATCH_DETECTIONS)
        merged = merge_detections(found, stacks.grid, max(stacks.n_pixels))
        if self.clusterer is not None or not len(merged):
            return merged
        return _seen_everywhere(merged, np.concatenate(maps), stacks.grid, architecture)

    def _widths(self, observation: Observation, grid: PatchGrid) -> tuple[int, ...]:
        """Pixels a side for which there are weights for the bands, or as fine as the maps."""
        bands = observation.counts.bands
        if self.weights:
            known = _of_kind(Architecture, Path(self.weights))
            widths = known.widths if same_edges(known.bands, bands) else ()
        else:
            widths = shipped_widths(self.network, bands)
        return widths or patch_widths(observation.counts.pixels, grid)

    def _trained(self, patches: Patches) -> tuple[Path, Architecture]:
        """Folder of the weights for patches, and what is in it."""
        folder = Path(self.weights) if self.weights else shipped_folder(self.network, patches)
        architecture = _of_kind(Architecture, folder)
        architecture.check(patches, folder)
        return folder, architecture

    def _localise(self, patches: Patches) -> QTable:
        folder, architecture = self._trained(patches)
        tables = [
            self._detections(output, architecture, rows, patches)
            for rows, output in self._outputs(patches, folder, architecture)
        ]
        return vstack(tables) if tables else empty_table(PATCH_DETECTIONS)

    def _outputs(
        self, patches: Patches, folder: Path, architecture: Architecture
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """What the network says of patches, and of which."""
        run = BACKENDS[self.backend](folder, architecture)
        for rows in _batches(len(patches), self.batch_size):
            output = averaged(run, _features(patches, rows, architecture), self.views)
            if not np.all(np.isfinite(output)):
                raise WeightsError(
                    f"scores of the patches {rows.start} to {rows.stop - 1} are not finite",
                    path=folder,
                    remedy="Are the counts those of this preset?",
                )
            yield rows, output

    def _detections(
        self, output: np.ndarray, architecture: Architecture, rows: slice, patches: Patches
    ) -> QTable:
        """Detections in the patches of a batch, where there are data."""
        peaks = self._peaks(output, calibration=architecture.calibration)
        table = QTable(
            {
                "patch": peaks.patch + rows.start,
                "x": peaks.x * u.pix,
                "y": peaks.y * u.pix,
                "score": peaks.score,
            }
        )
        if peaks.sigma is not None:
            scale = architecture.r68_of_sigma(patches.grid)
            table["pos_err"] = peaks.sigma * scale * u.deg
        return table[_on_data(table, patches)]


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


def _seen_everywhere(
    merged: QTable, maps: np.ndarray, grid: PatchGrid, architecture: Architecture
) -> QTable:
    """Detections with their scores in all patches that see them."""
    calibration = architecture.calibration
    vectors = vectors_in(grid.frame, SkyCoord(merged["ra"], merged["dec"], frame="icrs"))
    once = calibration.logit(np.asarray(merged["score"]))
    merged["score"] = calibration.probability(mean_scores(maps, grid, vectors, once))
    return merged


def _batches(n: int, size: int) -> Iterator[slice]:
    """Rows of each batch."""
    starts = track(range(0, n, size), "scores of patches")
    return (slice(start, min(start + size, n)) for start in starts)


def _features(patches: Patches, rows: slice, architecture: Architecture) -> tuple[np.ndarray, ...]:
    """What the network sees of some patches."""

    def some(arrays: tuple[np.ndarray, ...] | None) -> tuple[np.ndarray, ...] | None:
        return None if arrays is None else tuple(array[rows] for array in arrays)

    return features(
        some(patches.counts),
        some(patches.background),
        some(patches.exposure),
        architecture.features,
    )


def _on_data(table: QTable, patches: Patches) -> np.ndarray:
    """Which detections lie on a pixel that has data in the finest band."""
    finest = patches.valid[int(np.argmax(patches.n_pixels))]
    column, row = (np.rint(table[name].to_value(u.pix)).astype(int) for name in ("x", "y"))
    last = finest.shape[1] - 1
    return finest[table["patch"], np.clip(row, 0, last), np.clip(column, 0, last)]


def _check(name: str, value: object, accepted: bool, remedy: str) -> None:
    if not accepted:
        raise OptionError(f"{name} is {value!r}", remedy=remedy)


def _one_of(names: Iterable[str]) -> str:
    return f"It is one of {', '.join(names)}."
