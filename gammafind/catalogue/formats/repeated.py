"""What makes the rows of a table ambiguous: repeated columns, and quotation marks left open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from astropy.table import Column, Table

from gammafind.catalogue.columns import KNOWN_NAMES
from gammafind.catalogue.position_columns import position_columns
from gammafind.errors import FileFormatError
from gammafind.utils.limits import check_columns


def check_repeated(names: Iterable[str], path: Path) -> None:
    """Refuse a table in which a column of positions, or of a known quantity, occurs twice.

    Tables of too many columns are refused too.

    Parameters
    ----------
    names : iterable of str
        As the file has them. Other columns may occur twice.
    path : Path

    Raises
    ------
    FileFormatError
    """
    seen = Counter(names)
    check_columns(seen.total(), path)
    twice = [name for name, n in seen.items() if n > 1 and name]
    if not twice:
        return
    found = position_columns(Table({name: [0.0] for name in seen if name}))
    used = {*KNOWN_NAMES, *((found.longitude, found.latitude) if found else ())}
    for name in twice:
        if name in used:
            raise FileFormatError(
                f"the column {name} occurs twice", path=path, remedy="Leave one of them out."
            )


def check_quotes(columns: Sequence[Iterable[object]], delimiter: str, path: Path) -> None:
    """Refuse cells that hold the end of a row and the beginning of another.

    A quotation mark that is not closed joins all that follows, up to the next one.

    Parameters
    ----------
    columns : sequence of iterable of object
        Cells of each column; only texts are looked at.
    delimiter : str
    path : Path

    Raises
    ------
    FileFormatError
    """
    for before, cells in enumerate(columns):
        after = len(columns) - 1 - before
        for cell in cells:
            if isinstance(cell, str) and "\n" in cell and after + before:
                marks = [line.count(delimiter) for line in cell.split("\n")]
                if marks == [after, *[after + before] * (len(marks) - 2), before]:
                    raise FileFormatError(
                        f"a quotation mark is open: one cell holds {len(marks)} rows, {cell!r}",
                        path=path,
                        remedy="Close it, or double it where it belongs to a text.",
                    )


def texts_in(table: Table) -> list[list[object]]:
    """Cells of each column; none of those that hold no texts."""
    columns = (table[name] for name in table.colnames)
    return [
        column.tolist()
        if isinstance(column, Column) and column.dtype.kind in "UO" and column.ndim == 1
        else []
        for column in columns
    ]
