"""Completeness and purity of a set of detections, at any score cut."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import numbers
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError, TableError
from gammafind.evaluation.nested import match_by_score
from gammafind.sky.pixels import HealpixPixels

__all__ = [
    "Evaluation",
    "Rates",
    "completeness_at_purity",
    "evaluate_detections",
    "rates",
    "score_curve",
]

_BLOCKS = HealpixPixels(4, "icrs")
"""Regions of the sky, 14.7 deg wide, that the bootstrap draws."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """Detections and true sources after matching; all that completeness and purity need.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Score of each detection that counts for purity.
    matched : ndarray of bool, shape (n,)
        Whether a true source, selected or not, was matched to it.
    found_at : ndarray, shape (m,)
        Highest score cut at which each selected true source is found; ``-inf`` if never.
    detection_block, source_block : ndarray of int, shapes (n,) and (m,)
        Region of the sky in which each lies.
    """

    score: np.ndarray
    matched: np.ndarray
    found_at: np.ndarray
    detection_block: np.ndarray
    source_block: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Counts and rates at one score cut.

    Parameters
    ----------
    cut : float
        Detections of this score or more count.
    n_detections : int
    n_matched : int
        Detections with a true source: TP of the purity.
    n_sources : int
        Selected true sources.
    n_found : int
        Selected true sources with a detection: TP of the completeness.
    """

    cut: float
    n_detections: int
    n_matched: int
    n_sources: int
    n_found: int

    @property
    def completeness(self) -> float:
        """TP / (TP + FN); NaN without sources."""
        return self.n_found / self.n_sources if self.n_sources else np.nan

    @property
    def purity(self) -> float:
        """TP / (TP + FP); NaN without detections."""
        return self.n_matched / self.n_detections if self.n_detections else np.nan


def evaluate_detections(
    detections: QTable,
    truth: QTable,
    *,
    radius: Quantity = 0.5 * u.deg,
    selected: np.ndarray | None = None,
    counted: np.ndarray | None = None,
    score: str = "score",
) -> Evaluation:
    """Match detections to true sources, one to one.

    All detections are matched to all true sources first; the selections come after. A
    detection of a faint source is therefore no false one when completeness is asked of bright
    sources only, and a source at the border of a region is not lost because its detection lies
    on the other side. At each score cut the matching is that of the detections above it
    (`gammafind.evaluation.nested.match_by_score`).

    Parameters
    ----------
    detections : QTable
        Positions as for `gammafind.catalogue.positions.sky_positions`, and a score.
    truth : QTable
        Positions of the true sources.
    radius : Quantity, scalar or one for each detection
        Largest separation of a pair.
    selected : ndarray of bool, one for each true source, optional
        Sources of which the completeness is asked, such as those above a flux; all by default.
    counted : ndarray of bool, one for each detection, optional
        Detections of which the purity is asked, such as those of a region; all by default.
    score : str
        Column of the score.

    Returns
    -------
    Evaluation

    Raises
    ------
    TableError
        If positions or scores are missing or not finite.
    OptionError
        If a selection has not one entry for each row.
    """
    here = sky_positions(detections, what="the table of detections")
    there = sky_positions(truth, what="the table of true sources")
    scores = _scores(detections, score)
    counted = _mask(counted, len(detections), "counted")
    selected = _mask(selected, len(truth), "selected")
    matched, found_at = match_by_score(here, there, scores, radius=radius)
    return Evaluation(
        score=scores[counted],
        matched=matched[counted],
        found_at=found_at[selected],
        detection_block=_BLOCKS.pixel_of(here)[counted],
        source_block=_BLOCKS.pixel_of(there)[selected],
    )


def rates(evaluation: Evaluation, *, cut: float = -np.inf) -> Rates:
    """Count what a score cut leaves.

    Parameters
    ----------
    evaluation : Evaluation
    cut : float
        Detections of this score or more count; all by default.
    """
    above = evaluation.score >= cut
    found = (evaluation.found_at >= cut) & (evaluation.found_at > -np.inf)
    return Rates(
        cut=float(cut),
        n_detections=int(above.sum()),
        n_matched=int(evaluation.matched[above].sum()),
        n_sources=len(evaluation.found_at),
        n_found=int(found.sum()),
    )


def score_curve(evaluation: Evaluation) -> QTable:
    """Completeness and purity at the score of each detection, highest cut first.

    Returns
    -------
    QTable
        ``cut, n_detections, n_matched, n_found, completeness, purity``.
    """
    cut, last = np.unique(np.sort(-evaluation.score), return_index=True)
    cut = -cut
    n_detections = np.append(last[1:], len(evaluation.score))[: len(cut)]
    hits = np.cumsum(evaluation.matched[np.argsort(-evaluation.score, kind="stable")])
    n_matched = hits[n_detections - 1] if len(cut) else np.zeros(0, dtype=int)
    n_found = np.searchsorted(np.sort(-evaluation.found_at), -cut, side="right")
    n_sources = len(evaluation.found_at)
    return QTable(
        {
            "cut": cut,
            "n_detections": n_detections,
            "n_matched": n_matched,
            "n_found": n_found,
            "completeness": n_found / n_sources if n_sources else np.full(len(cut), np.nan),
            "purity": n_matched / n_detections,
        }
    )


def completeness_at_purity(evaluation: Evaluation, *, purity: float = 0.90) -> Rates:
    """Rates at the lowest score cut that leaves a purity of at least ``purity``.

    Where no cut does, the cut is infinite and nothing is found.

    Raises
    ------
    OptionError
        If ``purity`` does not lie within 0 to 1.
    """
    if not 0 <= purity <= 1:
        raise OptionError(f"purity is {purity}", remedy="It must lie within 0 to 1.")
    curve = score_curve(evaluation)
    pure = curve["cut"][curve["purity"] >= purity]
    return rates(evaluation, cut=pure.min() if len(pure) else np.inf)


def _scores(detections: QTable, name: str) -> np.ndarray:
    if name not in detections.colnames:
        raise TableError(
            f"the table of detections has no column {name}",
            remedy=f"Its columns are {', '.join(detections.colnames)}.",
        )
    try:
        scores = numbers(detections, name)
    except (u.UnitConversionError, ValueError) as error:
        raise TableError(f"column {name} of the detections is no score ({error})") from None
    if not np.all(np.isfinite(scores)):
        raise TableError(f"column {name} of the detections holds values that are not finite")
    return scores


def _mask(mask: np.ndarray | None, n: int, name: str) -> np.ndarray:
    if mask is None:
        return np.ones(n, dtype=bool)
    mask = np.asarray(mask)
    if mask.shape != (n,) or mask.dtype != bool:
        raise OptionError(
            f"{name} has shape {mask.shape} and type {mask.dtype}",
            remedy=f"It must be {n} values true or false.",
        )
    return mask
