"""Tables in files: ECSV, FITS, VOTable and CSV, by the suffix of the file name.

What is read may have any name: the content shows the format, and text of other kinds is read too.
Every format that is written keeps values, units, descriptions, UCDs and metadata. CSV files start
with an ECSV header in comment lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path

from astropy.table import QTable, Table

from gammafind.catalogue.foreign import plain
from gammafind.catalogue.formats.ascii import read_ecsv, write_csv, write_ecsv
from gammafind.catalogue.formats.fits import read_fits, write_fits
from gammafind.catalogue.formats.kind import kind_of
from gammafind.catalogue.formats.text import read_text_table
from gammafind.catalogue.formats.votable import read_votable, write_votable
from gammafind.catalogue.metadata import check_metadata
from gammafind.catalogue.schema import Column, conform
from gammafind.catalogue.tidy import tidy
from gammafind.errors import OutputError
from gammafind.utils.files import atomic_output, check_input, check_output, of_file
from gammafind.utils.reading import reading

Writer = Callable[[QTable, Path], None]

_WRITERS: dict[str, Writer] = {
    ".ecsv": write_ecsv,
    ".fits": write_fits,
    ".fits.gz": write_fits,
    ".fit": write_fits,
    ".fit.gz": write_fits,
    ".vot": write_votable,
    ".xml": write_votable,
    ".csv": write_csv,
}
TABLE_SUFFIXES = tuple(_WRITERS)
"""Suffixes of the table files that can be written."""

_READERS: dict[str, Callable[[Path], Table]] = {
    "FITS": read_fits,
    "VOTable": read_votable,
    "ECSV": read_ecsv,
    "text": read_text_table,
}


def write_table(table: Table, path: str | PathLike, *, overwrite: bool = False) -> None:
    """Write a table in the format of the suffix, atomically.

    Parameters
    ----------
    table : Table
        Columns of numbers, quantities or text; UCDs in ``info.meta["ucd"]``. Masked floats are
        written as NaN, masked text as empty. The metadata must be valid JSON.
    path : path-like
        Must end in one of `TABLE_SUFFIXES`.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the suffix is unknown, the directory does not exist, or the file exists and
        ``overwrite`` is false.
    TableError
        If the format cannot store the table.
    """
    path = check_table(path, overwrite=overwrite)
    suffix = check_suffix(path)
    with of_file(path), atomic_output(path, overwrite) as temporary:
        _WRITERS[suffix](tidy(table), temporary)


def read_table(path: str | PathLike, *, schema: Iterable[Column] | None = None) -> QTable:
    """Read a table in FITS, VOTable, ECSV, CSV, or another format of text.

    Parameters
    ----------
    path : path-like
        Gzipped or not. The content shows the format; where it does not, the suffix does.
    schema : iterable of Column, optional
        Required columns. Columns without a unit, as in a plain CSV file, get the unit of the
        schema.

    Returns
    -------
    QTable
        Missing floats are NaN, missing text is empty; see `gammafind.catalogue.foreign.plain` for
        columns of other kinds.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TruncatedFileError
        If the file is empty or incomplete.
    FileFormatError
        If the file is no table.
    TableError
        If the table does not match ``schema``.
    """
    path = check_input(path)
    kind = kind_of(path)
    with reading(path, f"this is no table in {kind}"):
        table = tidy(plain(_READERS[kind](path)))
        check_metadata(table.meta)
        return table if schema is None else _fitted(table, tuple(schema))


def _fitted(table: QTable, schema: tuple[Column, ...]) -> QTable:
    """Set the unit of the schema for columns without a unit, and check the table."""
    for column in schema:
        if column.unit and column.name in table.colnames and table[column.name].unit is None:
            table[column.name].unit = column.unit
    return conform(QTable(table), schema, what="the table")


def check_table(path: str | PathLike, *, overwrite: bool = False) -> Path:
    """Path of a table that can be written.

    Raises
    ------
    OutputError
        As `write_table`.
    """
    check_suffix(check_output(path, overwrite=overwrite))
    return Path(path)


def check_suffix(path: Path) -> str:
    """Longest suffix of a path that names a format to write; an error if there is none."""
    known = [suffix for suffix in TABLE_SUFFIXES if path.name.lower().endswith(suffix)]
    if not known:
        remedy = f"Accepted are {', '.join(TABLE_SUFFIXES)}."
        raise OutputError(f"the suffix {path.suffix!r} is unknown", path=path, remedy=remedy)
    return max(known, key=len)
