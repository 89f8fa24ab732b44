"""What commands print on standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.table import QTable

    from gammafind.comparison import Comparison
    from gammafind.pipeline import Result

__all__ = ["comparison_lines", "print_result"]

_HEADS = {
    "localiser": ("localiser", ""),
    "seconds": ("seconds", ".0f"),
    "n_detections": ("found", "d"),
    "cut": ("cut", ".4g"),
    "purity": ("purity", ".3f"),
    "ts50": ("TS50", ".1f"),
    "median_offset": ("offset (deg)", ".3f"),
}
"""Headings and formats of the columns of a comparison beside those of completeness."""


def print_result(result: Result, written: Sequence[Path]) -> None:
    """Print what was found, how long it took and where it is."""
    from gammafind.report.localisers import localiser_text

    print(result.summary.text())
    if result.beside:
        print(f"\n{localiser_text(result.searches)}\n")
    print(f"searched in {sum(search.seconds for search in result.searches):.0f} s")
    for path in written:
        print(f"written: {path}")


def comparison_lines(comparison: Comparison) -> list[str]:
    """Lines that show a comparison: an aligned table, what its columns mean, what is left out."""
    table = comparison.table
    rates = [name for name in table.colnames if name in table.meta["completeness"]]
    columns, told = [], {}
    for name in table.colnames:
        if name in rates:
            region, selection = table.meta["completeness"][name]
            mark = told.setdefault(selection, "*" * len(told))
            columns.append(_column(table, name, f"{region.replace(' ', '')}{mark}", ".3f"))
        elif name in _HEADS:
            columns.append(_column(table, name, *_HEADS[name]))
    lines = ["  ".join(cells) for cells in zip(*columns, strict=True)]
    lines += [f"all, |b|: completeness at purity {table.meta['purity']:g} in that part of the sky"]
    lines += [f"{mark:>3}: of sources with {text}" for text, mark in told.items() if text]
    lines += [f"left out: {name}: {reason}" for name, reason in comparison.left_out.items()]
    return lines


def _column(table: QTable, name: str, head: str, form: str) -> list[str]:
    """Cells of one width, the heading first; text to the left, numbers to the right."""
    values = getattr(table[name], "value", table[name])
    texts = [format(value, form) for value in values.tolist()]
    cells = [head, *("-" if text == "nan" else text for text in texts)]
    width = max(map(len, cells))
    return [cell.rjust(width) if form else cell.ljust(width) for cell in cells]
