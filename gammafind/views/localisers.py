"""Comparison of localisers on the same sky, in numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.evaluation.metrics import Rates
from gammafind.evaluation.numbers import PURITY, RegionSummary, Summary, aligned, percent

LEFT_COLUMNS = 3
"""Number of text columns of `localiser_table`; the others are numbers."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """The result of one localiser on a sky, in numbers.

    Parameters
    ----------
    localiser : str
        Name of the localiser.
    summary : Summary
    seconds : float
        Wall-clock time of the search.
    """

    localiser: str
    summary: Summary
    seconds: float


def localiser_table(searches: Sequence[Search]) -> tuple[list[str], list[list[str]]]:
    """Compare localisers at their published scores, and at the same purity.

    Parameters
    ----------
    searches : sequence of Search
        At least one; all with the same reference, or all without.

    Returns
    -------
    heads : list of str
    rows : list of list of str
        For each localiser, and for both sides of ``|b| = 20 deg`` if both have sources: the
        published detections and, with a reference, those above the lowest score with a purity of
        0.90.
    """
    heads = ["localiser", "region", "detections", "found", "purity", "completeness"]
    bright_heads = searches[0].summary.bright_heads
    heads += [*bright_heads, "seconds"]
    rows = (_rows(search, with_bright=bool(bright_heads)) for search in searches)
    return heads, [cells for some in rows for cells in some]


def localiser_text(searches: Sequence[Search]) -> str:
    """Return `localiser_table` as aligned lines for the terminal."""
    heads, rows = localiser_table(searches)
    return aligned(heads, rows, left=LEFT_COLUMNS)


def _rows(search: Search, *, with_bright: bool) -> Iterator[list[str]]:
    summary, first = search.summary, True
    for region in summary.regions[1:] or summary.regions:
        for choice, rates, bright in _choices(summary, region):
            yield [
                search.localiser,
                region.name,
                choice,
                str(rates.n_detections),
                percent(rates.purity) if summary.matches is not None else "-",
                percent(rates.completeness),
                *([percent(bright.completeness)] if with_bright else []),
                f"{search.seconds:.1f}" if first else "",
            ]
            first = False


def _choices(summary: Summary, region: RegionSummary) -> Iterator[tuple[str, Rates, Rates]]:
    """Description of a selection of detections, and the rates of all and of bright sources."""
    published = "all" if summary.cut is None else f"{summary.score_name} >= {summary.cut:.4g}"
    yield published, region.rates, region.bright
    if region.pure is None:
        return
    cut = region.pure.cut
    above = f"{summary.score_name} >= {cut:.4g}" if np.isfinite(cut) else "none"
    yield f"purity >= {PURITY:.2f}: {above}", region.pure, region.pure_bright
