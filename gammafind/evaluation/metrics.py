"""Completeness and purity of a set of detections, at any score cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import checked_numbers
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError, TableError
from gammafind.evaluation.nested import match_by_score
from gammafind.sky.pixels import HealpixPixels
from gammafind.utils.checks import require

FALSE_BY_SCORE = "expected_false_by_score"
"""Entry of the metadata of detections: scores as text, and the expected number of false detections
with at least that score."""
_NEGLIGIBLE = 1e-6
"""Expected number of detections that is as good as none."""
_BLOCKS = HealpixPixels(4, "icrs")
"""Regions of the sky, 14.7 deg wide, that the bootstrap draws."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """Detections and true sources after matching, as needed for completeness and purity.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Score of each detection that counts for purity.
    matched : ndarray of bool, shape (n,)
        Whether a true source, selected or not, was matched to it.
    found_at : ndarray, shape (m,)
        Highest score cut at which each selected true source is found; ``-inf`` if never.
    detection_block, source_block : ndarray of int, shapes (n,) and (m,)
        Region of the sky of each detection and source.
    detection_times, source_times : ndarray of int, shapes (n,) and (m,), optional
        Number of times that each counts, as in a draw of the bootstrap; once by default.
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
        """Evaluation of some of the sources and detections; the matches do not change.

        Parameters
        ----------
        selected : ndarray of bool, shape (m,), optional
            Sources that count for completeness; all by default.
        counted : ndarray of bool, shape (n,), optional
            Detections that count for purity; all by default.

        Raises
        ------
        OptionError
            If a selection does not have one entry for each row.
        """
        counted = _mask(counted, len(self.score), "counted")
        selected = _mask(selected, len(self.found_at), "selected")
        of_detections = ("score", "matched", "detection_block", "detection_times")
        of_sources = ("found_at", "source_block", "source_times")
        kept = {name: getattr(self, name)[counted] for name in of_detections}
        return Evaluation(**kept, **{name: getattr(self, name)[selected] for name in of_sources})

    def counting(self, detection_times: np.ndarray, source_times: np.ndarray) -> Evaluation:
        """Return the same rows, each counted the given number of times."""
        other = replace(self, detection_times=detection_times, source_times=source_times)
        other.__dict__["order"] = self.order
        return other


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Counts and rates at one score cut.

    Parameters
    ----------
    cut : float
        Detections with at least this score count.
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

    All detections are matched to all true sources first; the selections come after. So a detection
    of a faint source is not a false one if only bright sources are selected. And a source at the
    border of a region is not lost if its detection is on the other side. At each score cut the
    matching is that of the detections above it (`gammafind.evaluation.nested.match_by_score`).

    Parameters
    ----------
    detections : QTable
        Positions as for `gammafind.catalogue.positions.sky_positions`, and a score.
    truth : QTable
        Positions of the true sources.
    radius : Quantity, scalar or one for each detection
        Largest separation of a pair.
    selected : ndarray of bool, one for each true source, optional
        Sources that count for completeness, such as those above a flux; all by default.
    counted : ndarray of bool, one for each detection, optional
        Detections that count for purity, such as those of a region; all by default.
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
        If a selection does not have one entry for each row.
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
    """Count detections and found sources above a score cut; by default all detections."""
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
    """Lowest score cut with a purity of at least ``purity``; infinite if there is none.

    Raises
    ------
    OptionError
        If ``purity`` is not within 0 to 1.
    """
    require("purity", purity, 0 <= purity <= 1, "It must be within 0 to 1.")
    cut, n_detections, n_matched = _above_cuts(evaluation)
    pure = np.flatnonzero(n_matched / n_detections >= purity)
    return float(cut[pure[-1]]) if len(pure) else np.inf


def completeness_at_purity(evaluation: Evaluation, *, purity: float = 0.90) -> Rates:
    """Rates at the lowest score cut with a purity of at least ``purity``.

    If there is no such cut, it is infinite and nothing is found. Raises the errors of `purity_cut`.
    """
    return rates(evaluation, cut=purity_cut(evaluation, purity=purity))


def scores_of(detections: QTable, name: str = "score") -> np.ndarray:
    """Scores of detections, shape (n,).

    Raises
    ------
    TableError
        If there is no such column, or its values are not finite numbers.
    """
    if name not in detections.colnames:
        raise TableError(
            f"the table of detections has no column {name}",
            remedy=f"Its columns are {', '.join(detections.colnames)}.",
        )
    fault = f"column {name} of the detections is not a score"
    remedy = "It must contain numbers without a unit."
    scores = checked_numbers(detections, name, "", fault=fault, remedy=remedy)
    if not np.all(np.isfinite(scores)):
        raise TableError(
            f"column {name} of the detections has values that are not finite",
            remedy="Remove rows without a score.",
        )
    return scores


def _above_cuts(evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each score, highest first, and the number of detections and matches above it."""
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
            remedy=f"It must be {n} booleans.",
        )
    return mask


def expected_false(probabilities: np.ndarray) -> float:
    """Expected number of rows that are no sources, where scores are calibrated probabilities.

    Parameters
    ----------
    probabilities : ndarray, shape (n,)
        Probability of each row to be a source.
    """
    return round(float(np.sum(1 - probabilities)), 2)


def expected_false_above(by_score: Mapping[str, float], cut: float) -> float:
    """Expected number of false detections at and above a score.

    Parameters
    ----------
    by_score : mapping of str to float
        Numbers at some scores, as in the entry ``expected_false_by_score`` of the metadata.
    cut : float
        Beyond the scores of the mapping, the number of the nearest one.
    """
    scores = np.array([float(score) for score in by_score])
    order = np.argsort(scores)
    numbers = np.log(np.maximum([*by_score.values()], _NEGLIGIBLE))
    number = float(np.exp(np.interp(cut, scores[order], numbers[order])))
    return float(f"{number:.3g}") if number > 2 * _NEGLIGIBLE else 0.0
