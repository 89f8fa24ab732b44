"""Calibration of the scores of a trained network, on simulated skies."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
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
from gammafind.networks.ranking import Ranking
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.patch_network import PatchNetwork
from gammafind.plugins.unet.search import Evidence, FittedSky, Outputs, SkySearch
from gammafind.sky.stacks import PatchStacks
from gammafind.training.calibration import (
    SURE,
    fit_calibration,
    fit_error_scale,
    fit_error_trend,
)
from gammafind.training.fit_ranking import fit_ranking
from gammafind.utils.progress import track
from gammafind.utils.shelf import Shelf

_log = logging.getLogger("gammafind")

_LEAST_SCORE = 0.02
"""Threshold of the detections that are used, before the score is calibrated."""
_LEAST_PROBABILITY = 0.05
"""Threshold of the detections that are used afterwards: somewhat below that of the localiser."""
_VIEWS, _SEPARATION = 4, 2.0
"""Twice the views of the localiser, whose probabilities hold within 0.01, and its separation."""
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
    radius : Quantity
        Within which a detection is that of a source.
    """

    stacks: PatchStacks
    sources: QTable
    radius: Quantity


@dataclass(frozen=True, eq=False)
class _Seen:
    """A sky after a step, and what the network gives for it."""

    sky: PatchStacks
    fitted: FittedSky
    outputs: list[Outputs]


@dataclass(frozen=True, eq=False)
class _Truth:
    """True sources of a sky."""

    positions: SkyCoord
    ts: np.ndarray
    radius: Quantity


def calibrate(run: Runner, architecture: Architecture, skies: Iterable[KnownSky]) -> Architecture:
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
    skies : iterable of KnownSky
        That the network was not trained on. One of them is in memory at a time; what is known of
        the others waits on disk.

    Returns
    -------
    Architecture
        With the calibration, and with the ranking if one was learned.
    """
    search, truths = _search(run, replace(architecture, ranking=None, coarse_ranking=None)), []
    with Shelf(_first_look(search, skies, truths)) as first:
        search = _calibrated(search, first, truths)
        with Shelf(_second_look(search, first)) as second:
            search = _calibrated(search, second, truths)
            found = [_all_found(search, seen) for seen in _tracked(second)]
            if sum(map(len, found)) < _ENOUGH or not _predicts_errors(found):
                _log.warning(
                    "no ranking is learned: too few detections, or no errors of their positions"
                )
                return search.architecture
            evidence = [
                search.evidence(one, seen.fitted, seen.sky)
                for one, seen in zip(found, _tracked(second), strict=True)
            ]
    return _ranked(search.architecture, found, evidence, truths)


def _search(run: Runner, architecture: Architecture) -> SkySearch:
    """Search whose looks all have the same views, as probabilities are learned from each."""
    peaks = PeakFinder(threshold=_LEAST_PROBABILITY, separation=_SEPARATION)
    network = PatchNetwork(run=run, architecture=architecture, peaks=peaks, views=_VIEWS)
    return SkySearch(network=network, quick_views=_VIEWS)


def _first_look(
    search: SkySearch, skies: Iterable[KnownSky], truths: list[_Truth]
) -> Iterator[_Seen]:
    """Skies with their rough background; their sources are added to ``truths``."""
    for sky in skies:
        sources = sky.sources
        positions = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
        truths.append(_Truth(positions, np.asarray(sources["ts"]), sky.radius))
        rough = FittedSky(search.rough(sky.stacks), None)
        yield _seen(search, sky.stacks, rough)


def _second_look(search: SkySearch, first: Shelf[_Seen]) -> Iterator[_Seen]:
    """Skies with the background that is fitted with what was found at the first look."""
    for seen in _tracked(first):
        rough = seen.fitted.stacks
        found = search.merged(search.sightings(rough, seen.outputs))
        yield _seen(search, seen.sky, search.fitted(found, rough, seen.sky))


def _seen(search: SkySearch, sky: PatchStacks, fitted: FittedSky) -> _Seen:
    outputs = search.outputs(fitted.stacks)
    for stacks in (sky, fitted.stacks):
        stacks.forget()
    return _Seen(sky, fitted, outputs)


def _all_found(search: SkySearch, seen: _Seen) -> QTable:
    found = search.merged(search.sightings(seen.fitted.stacks, seen.outputs))
    return search.with_hidden(found, seen.fitted)


def _tracked(shelf: Shelf[_Seen]) -> Iterator[_Seen]:
    return track(shelf, "skies of the calibration")


def _calibrated(search: SkySearch, skies: Shelf[_Seen], truths: Sequence[_Truth]) -> SkySearch:
    """Return the search with a calibration of the network alone, from what it sees of skies."""
    raw = search.calibrated(Calibration(), threshold=_LEAST_SCORE)
    found = [raw.merged(raw.sightings(sky.fitted.stacks, sky.outputs)) for sky in _tracked(skies)]
    matched = [_matched(one, sky) for one, sky in zip(found, truths, strict=True)]
    score = np.concatenate([np.asarray(one["score"]) for one in found])
    calibration = fit_calibration(logit(score, least=SURE), np.concatenate(matched))
    scale = _error_scale(found, truths) if _predicts_errors(found) else 1.0
    calibration = replace(calibration, error_scale=scale)
    return search.calibrated(calibration, threshold=_LEAST_PROBABILITY)


def _ranked(
    architecture: Architecture,
    found: Sequence[QTable],
    evidence: Sequence[Evidence],
    truths: Sequence[_Truth],
) -> Architecture:
    """Architecture with a ranking for each kind of evidence: of fine, and of coarse maps."""
    rankings = []
    for n in sorted({one.entries.shape[1] for one in evidence}, reverse=True):
        rows = [row for row, one in enumerate(evidence) if one.entries.shape[1] == n]
        some = ([skies[row] for row in rows] for skies in (found, evidence, truths))
        rankings.append(_ranking(*some))
    return replace(architecture, **dict(zip(("ranking", "coarse_ranking"), rankings, strict=False)))


def _ranking(
    found: Sequence[QTable],
    evidence: Sequence[Evidence],
    truths: Sequence[_Truth],
) -> Ranking:
    """Probabilities and position errors from network and fitted fluxes together."""
    matched = [_matched(one, sky) for one, sky in zip(found, truths, strict=True)]
    entries = np.concatenate([one.entries for one in evidence])
    ranking = fit_ranking(entries, np.concatenate(matched))
    ts = [one.fit.at_best()[0] for one in evidence]
    scale, slope = _error_trend(found, ts, truths)
    return replace(ranking, error_scale=scale, error_slope=slope)


def _predicts_errors(found: Sequence[QTable]) -> bool:
    """Whether the network predicts position errors."""
    return all("pos_err" in one.colnames and np.all(np.isfinite(one["pos_err"])) for one in found)


def _matched(found: QTable, sky: _Truth) -> np.ndarray:
    here = SkyCoord(found["ra"], found["dec"], frame="icrs")
    return match_by_score(here, sky.positions, np.asarray(found["score"]), radius=sky.radius)[0]


def _error_scale(found: Sequence[QTable], skies: Sequence[_Truth]) -> float:
    """Ratio of true to predicted position errors of bright sources."""
    offsets = [_offsets(one, sky)[1] for one, sky in zip(found, skies, strict=True)]
    return fit_error_scale(np.concatenate(offsets))


def _error_trend(
    found: Sequence[QTable],
    ts: Sequence[np.ndarray],
    skies: Sequence[_Truth],
) -> tuple[float, float]:
    """The same at a TS of 100, and the power of the fitted TS with which it changes."""
    rows, offsets = zip(
        *(_offsets(one, sky) for one, sky in zip(found, skies, strict=True)), strict=True
    )
    of_each = np.concatenate([one[chosen] for one, chosen in zip(ts, rows, strict=True)])
    return fit_error_trend(np.concatenate(offsets), of_each)


def _offsets(found: QTable, sky: _Truth) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the detections of bright sources, and their offsets over the predicted errors."""
    here = SkyCoord(found["ra"], found["dec"], frame="icrs")
    pairs = match_one_to_one(here, sky.positions, sky.radius)
    seen = sky.ts[pairs.b] > _WELL_SEEN
    predicted = found["pos_err"][pairs.a].to(pairs.separation.unit)
    return pairs.a[seen], (pairs.separation / predicted).value[seen]
