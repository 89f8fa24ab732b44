"""What was found, in numbers: purity, completeness, offsets."""

from __future__ import annotations

from dataclasses import dataclass, field

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.catalogue.matching import Matches
from gammafind.evaluation.metrics import Rates

__all__ = ["QUANTILES", "RegionSummary", "Summary"]

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the test statistic, in `Summary.strength_quantiles`."""


@dataclass(frozen=True, kw_only=True)
class RegionSummary:
    """Detections and reference sources of one part of the sky.

    Parameters
    ----------
    name : str
    rates : Rates
        Of all reference sources; without a reference only the number of detections is known.
    bright : Rates
        Of the reference sources above the flux threshold.
    chance : float
        Fraction of the detections that would match by chance.
    """

    name: str
    rates: Rates
    bright: Rates
    chance: float = np.nan


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What was found.

    Parameters
    ----------
    regions : tuple of RegionSummary
        The whole map first; then, if there are sources on both sides of ``|b| = 20 deg``, the
        two sides.
    strength_name : {"TS", "Score"}
        What the detections are ranked by.
    strength_quantiles : tuple of float
        Of the detections, at `QUANTILES`; NaN without detections.
    radius : Quantity
        Match radius.
    bright : Quantity
        Flux threshold, in cm-2 s-1.
    cut : float, optional
        Least ``strength_name`` of a detection, where it is known.
    matches : Matches, optional
        Rows of the catalogue and of the reference that belong together; None without a
        reference.
    footprint : ndarray of bool, optional
        Which reference sources count: those that the map covers.
    """

    regions: tuple[RegionSummary, ...]
    strength_name: str
    strength_quantiles: tuple[float, ...]
    radius: Quantity
    bright: Quantity
    cut: float | None = None
    matches: Matches | None = field(default=None, repr=False, compare=False)
    footprint: np.ndarray | None = field(default=None, repr=False, compare=False)

    @property
    def n_detections(self) -> int:
        """Number of detections."""
        return self.regions[0].rates.n_detections

    @property
    def n_matched(self) -> int:
        """Number of detections that have a reference source."""
        return self.regions[0].rates.n_matched

    @property
    def n_unmatched(self) -> int:
        """Number of detections that have none."""
        return self.n_detections - self.n_matched

    @property
    def median_offset(self) -> Quantity:
        """Median separation of a detection and its reference source, NaN without a match."""
        if self.matches is None or len(self.matches) == 0:
            return np.nan * u.deg
        return np.median(self.matches.separation)

    def headlines(self) -> list[str]:
        """Sentences that say what was found, without the fractions of `table`."""
        sources = "source" if self.n_detections == 1 else "sources"
        lines = [f"{self.n_detections} {sources} found{self._range()}."]
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
        """Column heads and rows of text, one row a region; no rows without a reference."""
        heads = ["", "found", "matched", "purity", "by chance", "reference", "completeness"]
        heads.append(f"above {self.bright.value:g} cm-2 s-1")
        if self.matches is None:
            return heads, []
        return heads, [_cells(region) for region in self.regions]

    def text(self) -> str:
        """Return a few aligned lines for the terminal."""
        heads, rows = self.table()
        lines = self.headlines()
        if rows:
            widths = [max(map(len, cells)) for cells in zip(heads, *rows, strict=True)]
            lines.append("")
            for first, *others in (heads, *rows):
                cells = [first.ljust(widths[0])]
                cells += [cell.rjust(w) for cell, w in zip(others, widths[1:], strict=True)]
                lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)

    def _range(self) -> str:
        if self.n_detections == 0:
            return ""
        low, _, middle, _, high = self.strength_quantiles
        if self.n_detections == 1:
            return f", {self.strength_name} {middle:.4g}"
        return f", {self.strength_name} {low:.4g} to {high:.4g}, median {middle:.4g}"


def _cells(region: RegionSummary) -> list[str]:
    rates = region.rates
    return [
        region.name,
        str(rates.n_detections),
        str(rates.n_matched),
        _percent(rates.purity),
        _percent(region.chance),
        str(rates.n_sources),
        _percent(rates.completeness),
        f"{_percent(region.bright.completeness)} of {region.bright.n_sources}",
    ]


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %" if np.isfinite(fraction) else "-"


def _angle(angle: Quantity) -> str:
    degrees = angle.to_value(u.deg)
    if degrees >= 0.01:
        return f"{degrees:.3g} deg"
    return f"{angle.to_value(u.arcsec):.3g} arcsec"
