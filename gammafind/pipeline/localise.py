"""One localiser on one sky."""

from __future__ import annotations

import logging
from dataclasses import replace
from time import perf_counter
from typing import NamedTuple

import numpy as np
from astropy.table import QTable

from gammafind.presets.preset import Preset, build
from gammafind.roles.localiser import Localiser, SkyFindings, no_detections
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.skymap import SkyMap
from gammafind.utils.progress import stage

_log = logging.getLogger("gammafind")


class Found(NamedTuple):
    """What a localiser finds, and the wall-clock seconds it took.

    Attributes
    ----------
    detections : QTable
        Schema DETECTIONS.
    seconds : float
    scores : SkyMap or None
        Score at each place, where the localiser has such a map.
    """

    detections: QTable
    seconds: float
    scores: SkyMap | None = None


def build_localiser(preset: Preset) -> Localiser:
    """Make the localiser of a preset, with the clusterer of the preset if it names one."""
    given = {"clusterer": build(preset.clusterer)} if preset.clusterer else {}
    return build(preset.localiser, **given)


def able_preset(preset: Preset, observation: Observation) -> Preset:
    """Preset whose localiser can search a sky: the fallback takes over where its own cannot.

    Parameters
    ----------
    preset : Preset
    observation : Observation

    Returns
    -------
    Preset
        As it came in where the localiser can search, or where there is no fallback.
    """
    if preset.fallback is None:
        return preset
    reason = build_localiser(preset).cannot_search(observation)
    if not reason:
        return preset
    _log.info("%s: %s searches instead", reason, preset.fallback.name)
    return replace(
        preset,
        localiser=preset.fallback,
        clusterer=preset.fallback_clusterer,
        fallback=None,
        score_threshold=None,
    )


def localise(
    localiser: Localiser, observation: Observation, preset: Preset, *, seed: int = 0
) -> Found:
    """Search a sky; the result is empty if it has no counts.

    Parameters
    ----------
    localiser : Localiser
    observation : Observation
    preset : Preset
        Says how the sky is cut into patches.
    seed : int
        Of the random generator.

    Returns
    -------
    Found
    """
    start = perf_counter()
    with stage(f"looking for sources with {localiser.name}"):
        if any(values.any() for values in observation.counts.values):
            found = localiser.search_sky(
                observation,
                grid=PatchGrid.healpix(
                    preset.patches.nside,
                    size=preset.patches.size,
                    frame=observation.counts.pixels[0].frame,
                ),
                n_pixels=preset.patches.widths(observation.counts.n_bands),
                rng=np.random.default_rng(seed),
            )
        else:
            found = SkyFindings(no_detections())
    return Found(found.detections, perf_counter() - start, found.scores)


def lowest_score(preset: Preset, localiser: Localiser, min_score: float | None) -> float:
    """Lowest score kept: that of the caller, or of the preset, or of the localiser."""
    if min_score is not None:
        return min_score
    if preset.score_threshold is not None:
        return preset.score_threshold
    return localiser.published_score
