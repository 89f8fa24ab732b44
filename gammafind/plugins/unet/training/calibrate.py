"""Calibration of the scores of a trained network, on simulated skies."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.matching import match_one_to_one
from gammafind.evaluation.nested import match_by_score
from gammafind.networks.calibration import Calibration
from gammafind.networks.folder import Runner
from gammafind.networks.logits import logit
from gammafind.networks.peaks import PeakFinder
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.patch_network import PatchNetwork
from gammafind.plugins.unet.search import SkySearch
from gammafind.sky.stacks import PatchStacks
from gammafind.training.calibration import (
    SURE,
    fit_calibration,
    fit_error_scale,
    fit_error_trend,
)
from gammafind.training.fit_ranking import fit_ranking
from gammafind.utils.progress import track

_log = logging.getLogger("gammafind")

_LEAST_SCORE = 0.02
"""Threshold of the detections that are used, before the score is calibrated."""
_LEAST_PROBABILITY = 0.05
"""Threshold of the detections that are used afterwards, as in the localiser."""
_VIEWS, _SEPARATION = 4, 2.0
"""As the localiser has them."""
_WELL_SEEN = 25.0
"""Expected TS of the sources from which position errors are learned."""
_ENOUGH = 500
"""Detections from which a ranking is learned."""


@dataclass(frozen=True, eq=False)
class KnownSky:
    """A sky in patches, with its true sources.

    Attributes
    ----------
    stacks : PatchStacks
    sources : QTable
        With the column ``ts``, the TS expected of each.
    """

    stacks: PatchStacks
    sources: QTable

    @property
    def positions(self) -> SkyCoord:
        """Where the sources are."""
        return SkyCoord(self.sources["ra"], self.sources["dec"], frame="icrs")


def calibrate(
    run: Runner, architecture: Architecture, skies: Sequence[KnownSky], *, radius: Quantity
) -> Architecture:
    """Learn what scores and position errors of a network mean.

    First the scores of the network alone become probabilities and its position errors true, then
    once more on the background that is fitted with what it finds; then probabilities and position
    errors are learned from network and fitted fluxes together, unless there are too few detections.

    Parameters
    ----------
    run : Runner
        The trained network.
    architecture : Architecture
        What it is; a calibration or ranking that it has is not used.
    skies : sequence of KnownSky
        That the network was not trained on.
    radius : Quantity
        Within which a detection is that of a source.

    Returns
    -------
    Architecture
        With the calibration, and with the ranking if one was learned.
    """
    search = _search(run, replace(architecture, ranking=None))
    rough = [search.rough(sky.stacks) for sky in skies]
    search = _calibrated(search, rough, skies, radius)
    first = _looks(search, rough)
    fitted = [
        search.fitted(one, seen, sky.stacks)
        for one, seen, sky in zip(first, rough, skies, strict=True)
    ]
    stacks = [one.stacks for one in fitted]
    search = _calibrated(search, stacks, skies, radius)
    found = [
        search.with_hidden(one, seen)
        for one, seen in zip(_looks(search, stacks), fitted, strict=True)
    ]
    if sum(map(len, found)) < _ENOUGH or not _predicts_errors(found):
        _log.warning("no ranking is learned: too few detections, or no errors of their positions")
        return search.architecture
    evidence = [
        search.evidence(one, seen, sky.stacks)
        for one, seen, sky in zip(found, fitted, skies, strict=True)
    ]
    matched = [_matched(one, sky, radius) for one, sky in zip(found, skies, strict=True)]
    entries = np.concatenate([one.entries for one in evidence])
    ranking = fit_ranking(entries, np.concatenate(matched))
    ts = [one.fit.at_best()[0] for one in evidence]
    scale, slope = _error_trend(found, ts, skies, radius)
    ranking = replace(ranking, error_scale=scale, error_slope=slope)
    return replace(search.architecture, ranking=ranking)


def _search(run: Runner, architecture: Architecture) -> SkySearch:
    """Search whose looks all have the same views, as probabilities are learned from each."""
    peaks = PeakFinder(threshold=_LEAST_PROBABILITY, separation=_SEPARATION)
    network = PatchNetwork(run=run, architecture=architecture, peaks=peaks, views=_VIEWS)
    return SkySearch(network=network, quick_views=_VIEWS)


def _calibrated(
    search: SkySearch, seen: Sequence[PatchStacks], skies: Sequence[KnownSky], radius: Quantity
) -> SkySearch:
    """Return the search with a calibration of the network alone, from what it sees of skies."""
    raw = search.calibrated(Calibration(), threshold=_LEAST_SCORE)
    found = _looks(raw, seen)
    matched = [_matched(one, sky, radius) for one, sky in zip(found, skies, strict=True)]
    score = np.concatenate([np.asarray(one["score"]) for one in found])
    calibration = fit_calibration(logit(score, least=SURE), np.concatenate(matched))
    scale = _error_scale(found, skies, radius) if _predicts_errors(found) else 1.0
    calibration = replace(calibration, error_scale=scale)
    return search.calibrated(calibration, threshold=_LEAST_PROBABILITY)


def _looks(search: SkySearch, seen: Sequence[PatchStacks]) -> list[QTable]:
    """Detections of the network alone on each sky; patches of one sky are in memory at a time."""
    found = []
    for stacks in track(seen, "skies of the calibration"):
        found.append(search.look(stacks))
        stacks.forget()
    return found


def _predicts_errors(found: Sequence[QTable]) -> bool:
    """Whether the network predicts position errors."""
    return all("pos_err" in one.colnames and np.all(np.isfinite(one["pos_err"])) for one in found)


def _matched(found: QTable, sky: KnownSky, radius: Quantity) -> np.ndarray:
    here = SkyCoord(found["ra"], found["dec"], frame="icrs")
    return match_by_score(here, sky.positions, np.asarray(found["score"]), radius=radius)[0]


def _error_scale(found: Sequence[QTable], skies: Sequence[KnownSky], radius: Quantity) -> float:
    """Ratio of true to predicted position errors of bright sources."""
    offsets = [_offsets(one, sky, radius)[1] for one, sky in zip(found, skies, strict=True)]
    return fit_error_scale(np.concatenate(offsets))


def _error_trend(
    found: Sequence[QTable],
    ts: Sequence[np.ndarray],
    skies: Sequence[KnownSky],
    radius: Quantity,
) -> tuple[float, float]:
    """The same at a TS of 100, and the power of the fitted TS with which it changes."""
    rows, offsets = zip(
        *(_offsets(one, sky, radius) for one, sky in zip(found, skies, strict=True)), strict=True
    )
    of_each = np.concatenate([one[chosen] for one, chosen in zip(ts, rows, strict=True)])
    return fit_error_trend(np.concatenate(offsets), of_each)


def _offsets(found: QTable, sky: KnownSky, radius: Quantity) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the detections of bright sources, and their offsets over the predicted errors."""
    here = SkyCoord(found["ra"], found["dec"], frame="icrs")
    pairs = match_one_to_one(here, sky.positions, radius)
    seen = np.asarray(sky.sources["ts"])[pairs.b] > _WELL_SEEN
    predicted = found["pos_err"][pairs.a].to(pairs.separation.unit)
    return pairs.a[seen], (pairs.separation / predicted).value[seen]
