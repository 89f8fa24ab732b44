"""What makes the rows of a table ambiguous: repeated columns, and quotation marks left open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from astropy.table import Column, Table

from gammafind.catalogue.columns import KNOWN_NAMES
from gammafind.catalogue.position_columns import position_columns
from gammafind.errors import FileFormatError


def check_repeated(names: Iterable[str], path: Path) -> None:
    """Refuse a table in which a column of positions, or of a known quantity, occurs twice.

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


def check_quotes(
    cells: Iterable[object], width: int, delimiter: str, path: Path, *, remedy: str = ""
) -> None:
    """Refuse cells that hold the ends and beginnings of other rows.

    A quotation mark that is not closed joins all that follows, up to the next one.

    Parameters
    ----------
    cells : iterable of object
        Only texts are looked at.
    width : int
        Number of columns.
    delimiter : str
    path : Path
    remedy : str

    Raises
    ------
    FileFormatError
    """
    for cell in cells:
        lines = cell.count("\n") if isinstance(cell, str) else 0
        if lines and cell.count(delimiter) >= lines * (width - 1) > 0:
            raise FileFormatError(
                f"a quotation mark is open: one cell holds {lines + 1} rows, {cell!r}",
                path=path,
                remedy=remedy or "Close it, or double it where it belongs to a text.",
            )


def texts_in(table: Table) -> Sequence[object]:
    """Cells of all columns of text."""
    columns = (table[name] for name in table.colnames)
    return [
        cell
        for column in columns
        if isinstance(column, Column) and column.dtype.kind in "UO" and column.ndim == 1
        for cell in column.tolist()
    ]
