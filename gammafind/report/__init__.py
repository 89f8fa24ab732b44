"""Figures, the summary and the page that show what was found."""

from __future__ import annotations

from gammafind.report.compare import summarise
from gammafind.report.localisers import Search
from gammafind.report.summary import RegionSummary, Summary
from gammafind.report.write import write_report

__all__ = ["RegionSummary", "Search", "Summary", "summarise", "write_report"]
