"""What commands print on standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.table import QTable

    from gammafind.pipeline.compare import Comparison
    from gammafind.pipeline.result import Result


_HEADS = {
    "localiser": ("localiser", ""),
    "seconds": ("seconds", ".0f"),
    "n_detections": ("found", "d"),
    "cut": ("cut", ".4g"),
    "purity": ("purity", ".3f"),
    "ts50": ("TS50", ".1f"),
    "median_offset": ("offset (deg)", ".3f"),
}
"""Headings and formats of the columns of a comparison, except those of completeness."""


_WHOLE = "all"
"""Name of the region that is the whole sky."""


def print_result(result: Result, written: Sequence[Path]) -> None:
    """Print what was found, how long it took and where it is."""
    from gammafind.views.localisers import localiser_text

    print(result.summary.text())
    if result.beside:
        print(f"\n{localiser_text(result.searches)}\n")
    print(f"searched in {sum(search.seconds for search in result.searches):.0f} s")
    for path in written:
        print(f"written: {path}")


def comparison_lines(comparison: Comparison) -> list[str]:
    """Lines that show a comparison: an aligned table, what its columns mean, what is left out.

    For an image the offsets are in arcsec, and latitudes are not distinguished.
    """
    from gammafind.evaluation.numbers import aligned

    table, of_image = comparison.table, _is_of_image(comparison.table)
    heads = _HEADS | ({"median_offset": ("offset (arcsec)", ".3f")} if of_image else {})
    rates = [name for name in table.colnames if name in table.meta["completeness"]]
    columns, marks = [], {}
    for name in table.colnames:
        if name in rates:
            region, selection = table.meta["completeness"][name]
            if of_image and region != _WHOLE:
                continue
            mark = marks.setdefault(selection, "*" * len(marks))
            columns.append(_column(table, name, f"{region.replace(' ', '')}{mark}", ".3f"))
        elif name in heads:
            unit = "arcsec" if of_image and name == "median_offset" else None
            columns.append(_column(table, name, *heads[name], unit=unit))
    cells, *rows = zip(*columns, strict=True)
    lines = aligned(cells, rows).splitlines()
    purity = f"completeness at purity {table.meta['purity']:g}"
    lines += [f"all: {purity}" if of_image else f"all, |b|: {purity} in that part of the sky"]
    lines += [f"{mark:>3}: of sources with {text}" for text, mark in marks.items() if text]
    lines += [f"left out: {name}: {reason}" for name, reason in comparison.left_out.items()]
    return lines


def _is_of_image(table: QTable) -> bool:
    """Whether localisers were compared on an image of a detector."""
    from gammafind.roles.registry import get_plugin

    renderers = [used["name"] for used in table.meta["plugins"] if used["role"] == "renderer"]
    return any(get_plugin("renderer", name).sees == "image" for name in renderers)


def _column(
    table: QTable, name: str, head: str, form: str, *, unit: str | None = None
) -> list[str]:
    """Cells of a column, the heading first."""
    values = table[name].to(unit) if unit else table[name]
    values = getattr(values, "value", values)
    texts = [format(value, form) for value in values.tolist()]
    return [head, *("-" if text == "nan" else text for text in texts)]
