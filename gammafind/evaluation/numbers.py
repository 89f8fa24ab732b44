"""A catalogue in numbers: purity, completeness, offsets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.matching import Matches
from gammafind.evaluation.metrics import Rates

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Quantiles of the scores in `Summary.score_quantiles`."""
PURITY = 0.90
"""Purity of the detections in `RegionSummary.pure`."""


@dataclass(frozen=True, kw_only=True)
class RegionSummary:
    """Detections and reference sources in one part of the sky.

    Parameters
    ----------
    name : str
    rates : Rates
        Rates for all reference sources; without a reference only the number of detections is known.
    bright : Rates
        Rates for the reference sources above the flux threshold.
    chance : float
        Fraction of the detections that would match by chance.
    pure, pure_bright : Rates, optional
        The same as ``rates`` and ``bright`` at the lowest score above which `PURITY` of all
        detections of the localiser are matched; None if these are not known.
    curve : QTable, optional
        Completeness and purity of all these detections at each score, from
        `gammafind.evaluation.metrics.score_curve`.
    """

    name: str
    rates: Rates
    bright: Rates
    chance: float = np.nan
    pure: Rates | None = None
    pure_bright: Rates | None = None
    curve: QTable | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Summary of a catalogue and its comparison with a reference.

    Parameters
    ----------
    regions : tuple of RegionSummary
        The whole map first; then the two sides of ``|b| = 20 deg``, if both have sources.
    score_name : str
        Name that the localiser uses for its scores.
    score_quantiles : tuple of float
        Scores of the detections at `QUANTILES`; NaN without detections.
    radius : Quantity
        Match radius.
    bright : Quantity or None
        Flux threshold, in cm-2 s-1; None if no reference source is known to be brighter.
    cut : float, optional
        Lowest score kept in the catalogue, if known.
    expected_false : float, optional
        Expected number of rows of the catalogue that are no sources, if known.
    matches : Matches, optional
        Matched rows of the catalogue and of the reference; None without a reference.
    footprint : ndarray of bool, optional
        Which reference sources count: those covered by the map.
    """

    regions: tuple[RegionSummary, ...]
    score_name: str
    score_quantiles: tuple[float, ...]
    radius: Quantity
    bright: Quantity | None
    cut: float | None = None
    expected_false: float | None = None
    matches: Matches | None = field(default=None, repr=False, compare=False)
    footprint: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def n_detections(self) -> int:
        """Number of detections."""
        return self.regions[0].rates.n_detections

    @property
    def n_matched(self) -> int:
        """Number of detections with a reference source."""
        return self.regions[0].rates.n_matched

    @property
    def n_unmatched(self) -> int:
        """Number of detections without a reference source."""
        return self.n_detections - self.n_matched

    @property
    def median_offset(self) -> Quantity:
        """Median separation of a detection and its reference source, NaN without a match."""
        if self.matches is None or len(self.matches) == 0:
            return np.nan * u.deg
        return np.median(self.matches.separation)

    @property
    def bright_heads(self) -> list[str]:
        """Heading of the column for the completeness of bright sources, if there is one."""
        if self.bright is None:
            return []
        return [f"above {self.bright.value:.0e} cm-2 s-1".replace("e-0", "e-")]

    def headlines(self) -> list[str]:
        """Sentences that summarise the catalogue, without the fractions of `table`."""
        sources = "source" if self.n_detections == 1 else "sources"
        lines = [f"{self.n_detections} {sources} found{self._range()}."]
        if self.expected_false is not None and self.n_detections:
            lines.append(f"Expected number of false ones: {float(f'{self.expected_false:.2g}'):g}.")
        if self.matches is None:
            return lines
        lines.append(
            f"{self.n_matched} match one of {self.regions[0].rates.n_sources} reference sources "
            f"one-to-one within {_angle(self.radius)}; {self.n_unmatched} do not."
        )
        if len(self.matches):
            lines.append(f"The median offset is {_angle(self.median_offset)}.")
        if np.isfinite(self.regions[0].chance):
            lines.append(
                f"At shifted positions {100 * self.regions[0].chance:.1f} % of the detections "
                "would match by chance."
            )
        return lines

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Column headings and rows of text, one row per region; no rows without a reference."""
        heads = ["", "found", "matched", "purity", "by chance", "reference", "completeness"]
        heads += self.bright_heads
        if self.matches is None:
            return heads, []
        with_bright = self.bright is not None
        return heads, [_cells(region, with_bright=with_bright) for region in self.regions]

    def text(self) -> str:
        """Return a few aligned lines for the terminal."""
        heads, rows = self.table()
        return "\n".join(self.headlines() + (["", aligned(heads, rows)] if rows else []))

    def _range(self) -> str:
        if self.n_detections == 0:
            return ""
        low, _, middle, _, high = self.score_quantiles
        if self.n_detections == 1:
            return f", {self.score_name} {middle:.4g}"
        return f", {self.score_name} {low:.4g} to {high:.4g}, median {middle:.4g}"


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Lines of a table for the terminal.

    Parameters
    ----------
    heads : sequence of str
    rows : sequence of sequence of str
        Rows with as many cells as headings.
    left : int
        Number of left-aligned columns; the others are right-aligned.
    """
    widths = [max(map(len, cells)) for cells in zip(heads, *rows, strict=True)]
    lines = []
    for cells in (heads, *rows):
        padded = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _cells(region: RegionSummary, *, with_bright: bool) -> list[str]:
    rates, bright = region.rates, region.bright
    of_bright = [f"{percent(bright.completeness)} of {bright.n_sources}"]
    return [
        region.name,
        str(rates.n_detections),
        str(rates.n_matched),
        percent(rates.purity),
        percent(region.chance),
        str(rates.n_sources),
        percent(rates.completeness),
        *(of_bright if with_bright else []),
    ]


def percent(fraction: float) -> str:
    """Fraction as text, such as ``98.5 %``; a dash if it is not known."""
    return f"{100 * fraction:.1f} %" if np.isfinite(fraction) else "-"


def _angle(angle: Quantity) -> str:
    degrees = angle.to_value(u.deg)
    if degrees >= 0.01:
        return f"{degrees:.3g} deg"
    return f"{angle.to_value(u.arcsec):.3g} arcsec"
