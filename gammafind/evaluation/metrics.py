"""Completeness and purity of a set of detections, at any score cut."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

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
    "purity_cut",
    "rates",
    "score_curve",
    "scores_of",
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
    detection_times, source_times : ndarray of int, shapes (n,) and (m,), optional
        How many times each counts, as in a draw of the bootstrap; once by default.
    """

    score: np.ndarray
    matched: np.ndarray
    found_at: np.ndarray
    detection_block: np.ndarray
    source_block: np.ndarray
    detection_times: np.ndarray | None = None
    source_times: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, array in (("detection_times", self.score), ("source_times", self.found_at)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.ones(len(array), dtype=int))

    @cached_property
    def order(self) -> np.ndarray:
        """Indices of the detections, highest score first, shape (n,)."""
        return np.argsort(-self.score, kind="stable")

    def found(self, cut: float) -> np.ndarray:
        """Whether each source is found at a score cut, shape (m,)."""
        return (self.found_at >= cut) & (self.found_at > -np.inf)

    def select(
        self, *, selected: np.ndarray | None = None, counted: np.ndarray | None = None
    ) -> Evaluation:
        """Evaluation of some of the sources and detections; they stay matched as they are.

        Parameters
        ----------
        selected : ndarray of bool, shape (m,), optional
            Sources of which the completeness is asked; all by default.
        counted : ndarray of bool, shape (n,), optional
            Detections of which the purity is asked; all by default.

        Raises
        ------
        OptionError
            If a selection has not one entry for each row.
        """
        counted = _mask(counted, len(self.score), "counted")
        selected = _mask(selected, len(self.found_at), "selected")
        return Evaluation(
            score=self.score[counted],
            matched=self.matched[counted],
            found_at=self.found_at[selected],
            detection_block=self.detection_block[counted],
            source_block=self.source_block[selected],
            detection_times=self.detection_times[counted],
            source_times=self.source_times[selected],
        )

    def counting(self, detection_times: np.ndarray, source_times: np.ndarray) -> Evaluation:
        """Return the same rows, each counted as many times as is said."""
        other = replace(self, detection_times=detection_times, source_times=source_times)
        other.__dict__["order"] = self.order
        return other


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
    scores = scores_of(detections, score)
    matched, found_at = match_by_score(here, there, scores, radius=radius)
    return Evaluation(
        score=scores,
        matched=matched,
        found_at=found_at,
        detection_block=_BLOCKS.pixel_of(here).astype(int),
        source_block=_BLOCKS.pixel_of(there).astype(int),
    ).select(selected=selected, counted=counted)


def rates(evaluation: Evaluation, *, cut: float = -np.inf) -> Rates:
    """Count what is left by a score cut: detections of this score or more, all by default."""
    above = (evaluation.score >= cut) * evaluation.detection_times
    return Rates(
        cut=float(cut),
        n_detections=int(above.sum()),
        n_matched=int(above @ evaluation.matched),
        n_sources=int(evaluation.source_times.sum()),
        n_found=int(evaluation.source_times @ evaluation.found(cut)),
    )


def score_curve(evaluation: Evaluation) -> QTable:
    """Completeness and purity at the score of each detection, highest cut first.

    Returns
    -------
    QTable
        ``cut, n_detections, n_matched, n_found, completeness, purity``.
    """
    cut, n_detections, n_matched = _above_cuts(evaluation)
    order = np.argsort(-evaluation.found_at, kind="stable")
    reached = np.searchsorted(-evaluation.found_at[order], -cut, side="right")
    n_found = np.append(0, np.cumsum(evaluation.source_times[order]))[reached]
    n_sources = evaluation.source_times.sum()
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


def purity_cut(evaluation: Evaluation, *, purity: float = 0.90) -> float:
    """Lowest score cut that leaves a purity of at least ``purity``; infinite where none does.

    Raises
    ------
    OptionError
        If ``purity`` does not lie within 0 to 1.
    """
    if not 0 <= purity <= 1:
        raise OptionError(f"purity is {purity}", remedy="It must lie within 0 to 1.")
    cut, n_detections, n_matched = _above_cuts(evaluation)
    pure = np.flatnonzero(n_matched / n_detections >= purity)
    return float(cut[pure[-1]]) if len(pure) else np.inf


def completeness_at_purity(evaluation: Evaluation, *, purity: float = 0.90) -> Rates:
    """Rates at the lowest score cut that leaves a purity of at least ``purity``.

    Where no cut does, the cut is infinite and nothing is found. Raises what `purity_cut` does.
    """
    return rates(evaluation, cut=purity_cut(evaluation, purity=purity))


def scores_of(detections: QTable, name: str = "score") -> np.ndarray:
    """Scores of detections, shape (n,).

    Raises
    ------
    TableError
        If there is no such column, or its values are no finite numbers.
    """
    if name not in detections.colnames:
        raise TableError(
            f"the table of detections has no column {name}",
            remedy=f"Its columns are {', '.join(detections.colnames)}.",
        )
    try:
        scores = numbers(detections, name)
    except (u.UnitConversionError, ValueError) as error:
        raise TableError(
            f"column {name} of the detections is no score ({error})",
            remedy="It must hold numbers without a unit.",
        ) from None
    if not np.all(np.isfinite(scores)):
        raise TableError(
            f"column {name} of the detections holds values that are not finite",
            remedy="Leave out rows without a score.",
        )
    return scores


def _above_cuts(evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each score, highest first, and how many detections and matched ones have it or more."""
    order = evaluation.order
    score, times = evaluation.score[order], evaluation.detection_times[order]
    n_detections = np.cumsum(times)
    n_matched = np.cumsum(times * evaluation.matched[order])
    last = np.append(score[1:] != score[:-1], True)[: len(score)] & (n_detections > 0)
    return score[last], n_detections[last], n_matched[last]


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
