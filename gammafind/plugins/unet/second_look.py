"""A second search of a sky, for sources that were hidden by brighter neighbours.

Where two sources overlap a network sees one. Once the brighter one is a part of what is expected,
it sees the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack

from gammafind.catalogue.pairs import pairs_within
from gammafind.catalogue.positions import sky_positions
from gammafind.fitting.photons.sky_fit import counts_on_sky
from gammafind.sky.observation import Observation
from gammafind.sky.patch_sources import PatchSources
from gammafind.sky.projection import vectors_in
from gammafind.sky.stacks import PatchStacks

HIDDEN = "hidden"
"""Column that marks the detections that the second search has added."""
SURE = 0.5
"""Probability of the network above which a detection is a part of what is expected, also where the
background is fitted."""
_LEFT_OVER, _SAME = 0.1, 0.3
"""Degrees about a detection within which a second look sees what the model has left of it, and
about one that is not in the model, itself."""


@dataclass(frozen=True, eq=False)
class SureSources:
    """Sources that a network is sure of.

    Attributes
    ----------
    positions : SkyCoord, shape (n,)
    counts : ndarray, shape (n, n_bands)
        Of each, all fitted together.
    """

    positions: SkyCoord
    counts: np.ndarray

    def vectors(self, observation: Observation) -> np.ndarray:
        """Unit vectors in the frame of the maps, shape (n, 3)."""
        return vectors_in(observation.counts.pixels[0].frame, self.positions)

    def in_background_of(self, stacks: PatchStacks) -> PatchStacks:
        """Patches of the same sky in which these sources are a part of the background."""
        return stacks.with_sources(PatchSources(self.vectors(stacks.observation), self.counts))


def sure_sources(found: QTable, observation: Observation) -> SureSources | None:
    """Fit the detections together that a network is sure of.

    Parameters
    ----------
    found : QTable
        Detections by the network alone, each source once.
    observation : Observation
        In which they were found.

    Returns
    -------
    SureSources or None
        None where the pixels of the maps are wider than the PSF: sources have another fit there.
    """
    if observation.is_coarse:
        return None
    positions = sky_positions(found[np.asarray(found["score"]) >= SURE])
    return SureSources(positions, counts_on_sky(observation, positions))


def with_hidden(found: QTable, again: QTable) -> QTable:
    """Detections of the first look, and what the second look has added.

    Parameters
    ----------
    found : QTable
        Of the first look.
    again : QTable
        Of the second, on the same sky with sure sources in the background.

    Returns
    -------
    QTable
        With a column `HIDDEN`.
    """
    sure = np.asarray(found["score"]) >= SURE
    near = pairs_within(
        sky_positions(found), sky_positions(again), np.where(sure, _LEFT_OVER, _SAME)
    )[1]
    again = again[np.setdiff1d(np.arange(len(again)), near)]
    parts = [QTable(found, copy=True), again]
    for part, hidden in zip(parts, (False, True), strict=True):
        part[HIDDEN] = np.full(len(part), hidden)
    return vstack(parts, metadata_conflicts="silent")
