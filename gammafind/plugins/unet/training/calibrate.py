"""What the scores of a trained network mean: learned from skies whose sources are known."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.evaluation.nested import match_by_score
from gammafind.networks.calibration import Calibration
from gammafind.networks.logits import logit
from gammafind.networks.ranking import relative_ts
from gammafind.networks.weights import ARCHITECTURE
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.fluxes import (
    known_of,
    with_background_of,
    with_rough_background,
)
from gammafind.plugins.unet.localiser import UNet
from gammafind.plugins.unet.second_look import SureSources, sure_sources, with_hidden
from gammafind.sky.stacks import PatchStacks
from gammafind.training.fit_ranking import fit_ranking
from gammafind.utils.progress import track

__all__ = [
    "SURE",
    "KnownSky",
    "calibrate",
    "fit_calibration",
    "fit_error_scale",
    "fit_error_trend",
]

_log = logging.getLogger("gammafind")

_LEAST_SCORE = 0.02
"""Of the detections that are looked at, before the score is calibrated."""
_LEAST_PROBABILITY = 0.05
_BINS = 14
_WELL_SEEN = 25.0
"""Expected TS of the sources from which position errors are learned."""
SURE = 1e-7
"""Scores are nearer to neither 0 nor 1: there 32 bits end."""
_ENOUGH = 500
"""Detections from which a ranking is learned."""
_FEW = 50
"""Sources from fewer of which no trend of position errors is learned."""


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
    folder: str | PathLike, skies: Sequence[KnownSky], *, radius: Quantity
) -> Architecture:
    """Learn what scores and position errors of a network mean, and write it to its folder.

    First the scores of the network alone become probabilities and its position errors true, then
    once more on the background that is fitted with what it finds; then probabilities and position
    errors are learned from network and fitted fluxes together, unless there are too few detections.

    Parameters
    ----------
    folder : path-like
        Of the weights; its architecture is replaced.
    skies : sequence of KnownSky
        That the network was not trained on.
    radius : Quantity
        Within which a detection is that of a source.

    Returns
    -------
    Architecture
    """
    path = Path(folder) / ARCHITECTURE
    architecture = replace(Architecture.read(path), ranking=None)
    rough = [replace(sky, stacks=with_rough_background(sky.stacks)) for sky in skies]
    architecture = _with_calibration(architecture, path, rough, radius)
    first = _find(folder, rough, _LEAST_PROBABILITY)
    sure = [
        sure_sources(one, seen.stacks.observation) for one, seen in zip(first, rough, strict=True)
    ]
    fitted = [
        replace(sky, stacks=with_background_of(one, some, seen.stacks, sky.stacks))
        for one, some, seen, sky in zip(first, sure, rough, skies, strict=True)
    ]
    architecture = _with_calibration(architecture, path, fitted, radius)
    found = _find(folder, fitted, _LEAST_PROBABILITY)
    found = [
        one if some is None else with_hidden(one, _hidden(folder, some, sky))
        for one, some, sky in zip(found, sure, fitted, strict=True)
    ]
    if sum(map(len, found)) < _ENOUGH or not _tells_errors(found):
        _log.warning("no ranking is learned: too few detections, or no errors of their positions")
        return architecture
    matched = [_matched(one, sky, radius) for one, sky in zip(found, skies, strict=True)]
    known, fits = zip(
        *(
            known_of(one, seen.stacks, sky.stacks, architecture)
            for one, seen, sky in zip(found, fitted, skies, strict=True)
        ),
        strict=True,
    )
    ranking = fit_ranking(np.concatenate(known), np.concatenate(matched))
    scale, slope = _error_trend(found, [fit.at_best()[0] for fit in fits], skies, radius)
    ranking = replace(ranking, error_scale=scale, error_slope=slope)
    architecture = replace(architecture, ranking=ranking)
    architecture.write(path, overwrite=True)
    return architecture


def _with_calibration(
    architecture: Architecture, path: Path, skies: Sequence[KnownSky], radius: Quantity
) -> Architecture:
    """Architecture with a new calibration of the network alone, written."""
    architecture = replace(architecture, calibration=Calibration())
    architecture.write(path, overwrite=True)
    found = _find(path.parent, skies, _LEAST_SCORE)
    matched = [_matched(one, sky, radius) for one, sky in zip(found, skies, strict=True)]
    score = np.concatenate([np.asarray(one["score"]) for one in found])
    calibration = fit_calibration(logit(score, least=SURE), np.concatenate(matched))
    scale = _error_scale(found, skies, radius) if _tells_errors(found) else 1.0
    architecture = replace(architecture, calibration=replace(calibration, error_scale=scale))
    architecture.write(path, overwrite=True)
    return architecture


def fit_calibration(logits: np.ndarray, matched: np.ndarray) -> Calibration:
    """Share of true detections against the score, rising.

    Parameters
    ----------
    logits : ndarray, shape (n,)
    matched : ndarray of bool, shape (n,)

    Returns
    -------
    Calibration
        Of bins with as many detections each, joined where shares do not rise (Zadrozny & Elkan
        2002, doi:10.1145/775047.775151).
    """
    order = np.argsort(logits)
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    bins: list[list[float]] = []
    for part in parts:
        bins.append([float(logits[part].sum()), float(matched[part].sum()), float(len(part))])
        while len(bins) > 1 and not _share(bins[-2]) < _share(bins[-1]):
            last = bins.pop()
            bins[-1] = [a + b for a, b in zip(bins[-1], last, strict=True)]
    return Calibration(
        logits=tuple(total / n for total, _, n in bins),
        probabilities=tuple(_share(one) for one in bins),
    )


def _find(folder: str | PathLike, skies: Sequence[KnownSky], least: float) -> list[QTable]:
    """Detections of the network alone on each sky."""
    localiser = UNet(weights=str(folder), threshold=least)
    return [localiser.find(sky.stacks) for sky in track(skies, "skies of the calibration")]


def _hidden(folder: str | PathLike, sure: SureSources, sky: KnownSky) -> QTable:
    """Detections of a second look."""
    again = replace(sky, stacks=sure.in_background_of(sky.stacks))
    return _find(folder, [again], _LEAST_PROBABILITY)[0]


def _tells_errors(found: Sequence[QTable]) -> bool:
    """Whether the network tells how far off its positions are."""
    return all("pos_err" in one.colnames and np.all(np.isfinite(one["pos_err"])) for one in found)


def _matched(found: QTable, sky: KnownSky, radius: Quantity) -> np.ndarray:
    here = SkyCoord(found["ra"], found["dec"], frame="icrs")
    return match_by_score(here, sky.positions, np.asarray(found["score"]), radius=radius)[0]


def _error_scale(found: Sequence[QTable], skies: Sequence[KnownSky], radius: Quantity) -> float:
    """True over told position errors of well seen sources."""
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
    """Rows of the detections of well seen sources, and their offsets over the errors told."""
    here = SkyCoord(found["ra"], found["dec"], frame="icrs")
    pairs = match_one_to_one(here, sky.positions, radius)
    seen = np.asarray(sky.sources["ts"])[pairs.b] > _WELL_SEEN
    told = found["pos_err"][pairs.a].to(pairs.separation.unit)
    return pairs.a[seen], (pairs.separation / told).value[seen]


def fit_error_trend(relative: np.ndarray, ts: np.ndarray) -> tuple[float, float]:
    """Factor on position errors as a power of TS.

    Parameters
    ----------
    relative : ndarray, shape (n,)
        Offsets over the 68 % errors that are told.
    ts : ndarray, shape (n,)
        Fitted.

    Returns
    -------
    scale : float
        Factor at a TS of 100, by `fit_error_scale`.
    slope : float
        Power, by least squares of the logarithms, in which a factor is alike for all offsets.
    """
    known = relative > 0
    if np.count_nonzero(known) < _FEW:
        return 1.0, 0.0
    relative, ts = relative[known], relative_ts(ts[known])
    slope = float(np.polyfit(np.log(ts), np.log(relative), 1)[0])
    return fit_error_scale(relative / ts**slope), slope


def fit_error_scale(relative: np.ndarray) -> float:
    """Factor on position errors with which they hold 68 % and 95 % of the true positions best.

    Where offsets have wider tails than a Gaussian no factor is right for both. The one is taken
    that is least off, the share at 95 % counting half as much again as that at 68 %.

    Parameters
    ----------
    relative : ndarray, shape (n,)
        Offsets over the 68 % errors that are told; without any the factor is 1.
    """
    if not len(relative):
        return 1.0
    scales = np.geomspace(0.3, 3, 461)
    radii = np.sort(relative)
    low, high = (
        np.searchsorted(radii, factor * scales) / len(radii) for factor in (1.0, R95_OVER_R68)
    )
    off = np.maximum(np.abs(low - 0.68), 1.5 * np.abs(high - 0.95))
    return float(scales[off.argmin()])


def _share(one: Sequence[float]) -> float:
    """Share of true detections of a bin, never 0 or 1."""
    _, hits, n = one
    return (hits + 0.5) / (n + 1)
