"""The search of a whole sky by a network, in seven steps."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.merging import merge_detections
from gammafind.catalogue.positions import sky_positions
from gammafind.fitting.photons.flux_fit import FluxFit
from gammafind.fitting.photons.map_fit import fit_on_maps, fitted_background
from gammafind.fitting.photons.sky_fit import fit_on_sky
from gammafind.fitting.photons.slow_background import (
    rough_factor,
    scaled_background,
    slow_factor,
    unevenness,
)
from gammafind.fitting.photons.weights import weights_of_sources
from gammafind.networks.calibration import Calibration
from gammafind.networks.ranking import Ranking
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.patch_network import PatchNetwork, joined
from gammafind.plugins.unet.second_look import (
    HIDDEN,
    SURE,
    SureSources,
    sure_sources,
    with_hidden,
)
from gammafind.plugins.unet.sky_evidence import setting_evidence, sky_evidence
from gammafind.roles.localiser import SCORE_MAP
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.projection import vectors_in
from gammafind.sky.score_map import score_map
from gammafind.sky.skymap import SkyMap
from gammafind.sky.stacks import PatchStacks

_SOLID = 0.3
"""Probability of the network above which a detection is fitted together with others: at 0.5 faint
sources stay in the background of their neighbours."""

_INDEX = 2.3
"""Photon index of a typical source, for the weights of the bands."""
_LEAST_SHOWN = 0.05
"""Probability below which a map of them is 0: noise that nobody looks at."""
INSIDE = 3.0
"""Pixels from the border of a patch within which a source is measured poorly."""
_FLOOR = -8.0
"""Lowest logit; lower ones are clipped."""


Outputs = Iterable[tuple[np.ndarray, np.ndarray]]
"""Rows of some patches of a stack, and the output of the network for them, part by part."""


@dataclass(frozen=True, eq=False)
class Sightings:
    """What the network sees in each patch by itself.

    Attributes
    ----------
    grid : PatchGrid
        The patches at which it looked.
    width : int
        Pixels a side in the finest band.
    table : QTable
        Schema PATCH_DETECTIONS; a source is in as many rows as patches show it.
    maps : ndarray of float16, shape (n_patches, w, w)
        Score of each pixel, as a logit.
    """

    grid: PatchGrid
    width: int
    table: QTable
    maps: np.ndarray


@dataclass(frozen=True, eq=False)
class FittedSky:
    """A sky whose background is fitted to the counts.

    Attributes
    ----------
    stacks : PatchStacks
        Without sources in their background.
    sure : SureSources or None
        Fitted together with it; None where the pixels of the maps are wider than the PSF.
    """

    stacks: PatchStacks
    sure: SureSources | None


@dataclass(frozen=True, eq=False)
class Evidence:
    """Results of the fit of n detections.

    Attributes
    ----------
    entries : ndarray, shape (n, k)
        Of `gammafind.networks.ranking.Ranking`.
    fit : FluxFit
    weight : ndarray, shape (n,)
        Weight of the likelihood of each, for the systematic error of the background.
    flux_unit : UnitBase
        Of the instrument.
    ranking : Ranking or None
        Of the network for such evidence.
    """

    entries: np.ndarray
    fit: FluxFit
    weight: np.ndarray
    flux_unit: u.UnitBase
    ranking: Ranking | None


@dataclass(frozen=True, kw_only=True)
class SkySearch:
    """The steps of a search; `find` takes them all, one after the other.

    Detections are tables of the schema DETECTIONS, each source once.

    Parameters
    ----------
    network : PatchNetwork
        With a calibration; steps 6 and 7 need a ranking, too.
    quick_views : int
        Views of the first look, and of that for hidden sources.
    """

    network: PatchNetwork
    quick_views: int = 1

    @property
    def architecture(self) -> Architecture:
        """What the network is."""
        return self.network.architecture

    @property
    def quick(self) -> SkySearch:
        """The same search with fewer views."""
        return replace(self, network=replace(self.network, views=self.quick_views))

    def calibrated(self, calibration: Calibration, *, threshold: float) -> SkySearch:
        """Return the search with another calibration and least probability."""
        architecture = replace(self.architecture, calibration=calibration)
        peaks = replace(self.network.peaks, threshold=threshold)
        return replace(self, network=replace(self.network, architecture=architecture, peaks=peaks))

    def find(self, sky: PatchStacks) -> QTable:
        """Take all steps: detections with fluxes, each as probable as all that is known says."""
        fitted = self._first(sky)
        with ThreadPoolExecutor(1) as other:
            # Neither look needs the other: one runs where the other has work for one core only.
            again = other.submit(self._again, fitted)
            seen = self.sightings(fitted.stacks)
        found = _with_hidden(self.merged(seen), again.result())
        fitted.stacks.forget()
        if len(found):
            found = self.ranked(found, self.evidence(found, fitted, sky))
        found.meta[SCORE_MAP] = self.score_map(seen, sky.observation.counts)
        return found

    def look(self, stacks: PatchStacks) -> QTable:
        """Take steps 2 and 3: detections by the network alone."""
        return self.merged(self.sightings(stacks))

    def score_map(self, seen: Sightings, counts: SkyMap) -> SkyMap:
        """Probability that the network sees at each place, the highest of all patches.

        Parameters
        ----------
        seen : Sightings
        counts : SkyMap
            What was searched.
        """

        def image(patch: int) -> np.ndarray:
            logits = seen.maps[patch].astype(float)
            probability = self.architecture.calibration.probability(logits)
            return np.where(probability >= _LEAST_SHOWN, probability, 0)

        return score_map(counts, seen.grid, seen.width, image)

    def rough(self, sky: PatchStacks) -> PatchStacks:
        """Step 1: bring the background to the counts, before any search.

        Maps whose pixels are wider than the PSF stay unchanged.
        """
        observation = sky.observation
        if observation.is_coarse:
            return sky
        return sky.of_background(scaled_background(observation, rough_factor(observation)))

    def outputs(self, stacks: PatchStacks) -> list[Outputs]:
        """Rows and outputs of the network for each stack, for several `sightings`."""
        return [list(self.network.outputs(patches)) for _, patches in stacks]

    def sightings(self, stacks: PatchStacks, outputs: list[Outputs] | None = None) -> Sightings:
        """Step 2: run the network on each patch; peaks of its score are detections.

        Parameters
        ----------
        stacks : PatchStacks
        outputs : list, optional
            From `outputs`, instead of another run.
        """
        tables, maps = [], []
        for index, (start, patches) in enumerate(stacks):
            parts = outputs[index] if outputs else self.network.outputs(patches)
            for rows, output in parts:
                table = self.network.detections(rows, output, patches)
                table["patch"] += start
                tables.append(table)
                maps.append(output[..., 0].astype(np.float16))
        width = self.architecture.score_width
        none = np.zeros((0, width, width), dtype=np.float16)
        maps = np.concatenate([none, *maps])
        return Sightings(stacks.grid, width, joined(tables), maps)

    def merged(self, seen: Sightings) -> QTable:
        """Step 3: each source once, with its mean score in all patches that show it."""
        grid, calibration = seen.grid, self.architecture.calibration
        merged = merge_detections(seen.table, grid, seen.width)
        if self.network.peaks.clusterer is not None or not len(merged):
            return merged
        once = calibration.logit(np.asarray(merged["score"]))
        mean = mean_scores(seen.maps, grid, vectors_in(grid.frame, sky_positions(merged)), once)
        merged["score"] = calibration.probability(mean)
        return merged

    def fitted(self, found: QTable, rough: PatchStacks, sky: PatchStacks) -> FittedSky:
        """Step 4: fit the background that was given, with the sure sources in the model.

        Parameters
        ----------
        found : QTable
            After the first look.
        rough : PatchStacks
            After step 1, where it looked.
        sky : PatchStacks
            As it was given.
        """
        observation, sure = sky.observation, sure_sources(found, rough.observation)
        if sure is None:
            solid = np.asarray(found["score"]) >= SURE
            background = fitted_background(observation, sky_positions(found), solid)
        else:
            factor = slow_factor(observation, sure.vectors(observation), sure.counts)
            background = scaled_background(observation, factor)
        return FittedSky(rough.of_background(background), sure)

    def with_hidden(self, found: QTable, fitted: FittedSky) -> QTable:
        """Step 5: add what the network sees once the sure sources are in the background."""
        return _with_hidden(found, self._again(fitted))

    def evidence(self, found: QTable, fitted: FittedSky, sky: PatchStacks) -> Evidence:
        """Step 6: fit all detections to the counts.

        Parameters
        ----------
        found : QTable
            After step 5.
        fitted : FittedSky
            In which they were found.
        sky : PatchStacks
            As it was given.
        """
        observation, grid = fitted.stacks.observation, fitted.stacks.grid
        score, positions = np.asarray(found["score"]), sky_positions(found)
        fit_sources = fit_on_maps if observation.is_coarse else fit_on_sky
        fit = fit_sources(observation, positions, score >= _SOLID)
        sigma = found["pos_err"].to_value(u.deg) / self.architecture.r68_of_sigma(grid)
        vectors = vectors_in(grid.frame, positions)
        off = unevenness(sky.observation, observation, vectors)
        hidden = np.asarray(found[HIDDEN]) if HIDDEN in found.colnames else None
        setting = None
        if self.architecture.features.tiers:
            setting = setting_evidence(observation, fit.background)
        entries = sky_evidence(score, sigma, fit, off, vectors, hidden, setting)
        weight = weights_of_sources(observation, positions, fit.background, index=_INDEX)
        ranking = self.architecture.ranking_of(observation)
        return Evidence(entries, fit, weight, observation.flux_unit, ranking)

    def ranked(self, found: QTable, evidence: Evidence) -> QTable:
        """Step 7: score the detections by all that is known, and measure them.

        Returns
        -------
        QTable
            With new scores and position errors, and with ``ts, npred, flux, flux_err`` of the
            photon index with which TS is highest; TS and the error of the flux are weighted for
            the systematic error of the background, as those of ``likelihood`` are.
        """
        ranking = evidence.ranking
        ts, npred, npred_err, exposure = evidence.fit.at_best()
        flux_unit = evidence.flux_unit
        exposure = np.where(exposure > 0, exposure, np.nan)
        table = QTable(found, copy=True)
        table["score"] = ranking.probability(evidence.entries)
        table["pos_err"] = found["pos_err"] * ranking.error_factor(ts)
        table["ts"], table["npred"] = evidence.weight * ts, npred
        table["flux"] = npred / exposure * flux_unit
        if HIDDEN in table.colnames:
            table.remove_column(HIDDEN)
        npred_err = np.where(np.isfinite(npred_err), npred_err, np.nan) / np.sqrt(evidence.weight)
        table["flux_err"] = npred_err / exposure * flux_unit
        return table

    def _again(self, fitted: FittedSky) -> QTable | None:
        """What the network sees once the sure sources are in the background, if there are any."""
        if fitted.sure is None:
            return None
        return self.quick.look(fitted.sure.in_background_of(fitted.stacks))

    def _first(self, sky: PatchStacks) -> FittedSky:
        """Steps 1 to 4, of which only the last is kept in memory."""
        rough = self.rough(sky)
        found = self.quick.look(rough)
        return self.fitted(found, rough, sky)


def _with_hidden(found: QTable, again: QTable | None) -> QTable:
    return found if again is None else with_hidden(found, again)


def mean_scores(
    maps: np.ndarray, grid: PatchGrid, vectors: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Mean of the scores that a source has in the patches that hold it.

    Each patch redistributes the photons within the pixels of the map, and has its own pixels, so
    that a fluctuation that favours a source in one patch does not in another.

    Parameters
    ----------
    maps : ndarray, shape (n_patches, w, w)
        Logits of each pixel.
    grid : PatchGrid
        The patches.
    vectors : ndarray, shape (n, 3)
        Where sources were found, unit vectors in the frame of the grid.
    scores : ndarray, shape (n,)
        Their logits where they were found, which stand for those in patches of which they are
        too near to the border.

    Returns
    -------
    ndarray, shape (n,)
        Of the highest logits within one pixel of the source, each at least -8.
    """
    width = maps.shape[1]
    patch, index, x, y = grid.members(vectors, width, margin=-INSIDE)
    row, column = (np.clip(np.rint(at).astype(int), 1, width - 2) for at in (y, x))
    highest = np.full(len(index), _FLOOR)
    for up in (-1, 0, 1):
        for right in (-1, 0, 1):
            np.maximum(highest, maps[patch, row + up, column + right], out=highest)
    n = np.bincount(index, minlength=len(vectors))
    total = np.bincount(index, highest, minlength=len(vectors))
    return np.where(n > 0, total / np.maximum(n, 1), scores)
