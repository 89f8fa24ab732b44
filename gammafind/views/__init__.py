"""Figures, summary and page of a catalogue."""

from __future__ import annotations

from gammafind.evaluation.against import summarise
from gammafind.evaluation.numbers import RegionSummary, Summary
from gammafind.views.localisers import Search
from gammafind.views.write import write_report

__all__ = ["RegionSummary", "Search", "Summary", "summarise", "write_report"]
