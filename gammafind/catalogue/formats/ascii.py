"""Tables as ECSV, and as CSV after an ECSV header in comment lines."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from astropy.table import QTable, Table

from gammafind.catalogue.formats.repeated import check_quotes, check_repeated, texts_in
from gammafind.catalogue.formats.text import read_text
from gammafind.errors import FileFormatError, TableError
from gammafind.utils.limits import check_nodes

_NAME = re.compile(r"^#\s*-\s*(?:\{\s*)?name:\s*(.+?)\s*(?:,|\}|$)", re.MULTILINE)
"""Name of a column in the header."""
_COMMA = re.compile(r"^#\s*delimiter:\s*'?,", re.MULTILINE)


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


def read_ecsv(path: Path) -> Table:
    """Read an ECSV file.

    Raises
    ------
    FileFormatError
        If it is a single line: astropy would take it for the name or the address of a file; if
        a column is there twice, a quotation mark is open, or aliases of YAML hide a huge header.
    """
    text = read_text(path)
    if "\n" not in text.strip():
        raise FileFormatError("the file holds no table", path=path)
    check_repeated(_NAME.findall(text), path)
    table = Table.read(text, format="ascii.ecsv")
    check_quotes(texts_in(table), "," if _COMMA.search(text) else " ", path)
    for meta in (table.meta, *(table[name].info.meta for name in table.colnames)):
        check_nodes(meta, "the metadata", path)
    return table


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
