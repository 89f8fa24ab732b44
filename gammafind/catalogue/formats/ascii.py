"""Tables as ECSV, and as CSV after an ECSV header in comment lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.table import QTable

from gammafind.errors import TableError

_ECSV = "# %ECSV"


def write_ecsv(table: QTable, path: Path) -> None:
    """Write a table as ECSV.

    Raises
    ------
    TableError
        If the table has no rows but a column of vectors, or a value of the first column starts like
        a comment: astropy cannot read these back.
    """
    _write(table, path, delimiter=" ")


def write_csv(table: QTable, path: Path) -> None:
    """Write a table as comma-separated ECSV: plain CSV for readers that skip ``#`` lines.

    Raises
    ------
    TableError
        As for `write_ecsv`.
    """
    _write(table, path, delimiter=",")


def read_ecsv(path: Path) -> QTable:
    """Read an ECSV file."""
    return QTable.read(path, format="ascii.ecsv")


def read_csv(path: Path) -> QTable:
    """Read a CSV file, with an ECSV header or plain with the column names in its first line."""
    with path.open(encoding="utf-8") as stream:
        described = stream.readline().startswith(_ECSV)
    if described:
        return read_ecsv(path)
    return QTable.read(path, format="ascii.csv", comment="#")


def _write(table: QTable, path: Path, *, delimiter: str) -> None:
    names = table.colnames
    vectors = [name for name in names if table[name].ndim > 1]
    if len(table) == 0 and vectors:
        raise TableError(
            f"a table without rows has columns of vectors: {', '.join(vectors)}",
            remedy="Write .fits or .vot.",
        )
    if (
        names
        and table[names[0]].dtype.kind == "U"
        and any(np.char.startswith(table[names[0]], "#"))
    ):
        raise TableError(
            f"a value of the first column, {names[0]}, begins with '#' like a comment",
            remedy="Write .fits or .vot.",
        )
    table.write(path, format="ascii.ecsv", delimiter=delimiter)
