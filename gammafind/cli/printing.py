"""What commands print on standard output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gammafind.pipeline import Result

__all__ = ["print_result"]


def print_result(result: Result, written: Sequence[Path]) -> None:
    """Print what was found, how long it took and where it is."""
    from gammafind.report.localisers import localiser_text

    print(result.summary.text())
    if result.beside:
        print(f"\n{localiser_text(result.searches)}\n")
    print(f"searched in {sum(search.seconds for search in result.searches):.0f} s")
    for path in written:
        print(f"written: {path}")
