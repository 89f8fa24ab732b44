"""Source tables of users, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.io import read_table
from gammafind.catalogue.schema import SOURCES, Column, conform, in_flux_unit
from gammafind.errors import TableError
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.fits.counts import describe_input
from gammafind.units import FLUX
from gammafind.utils.files import of_file


def read_sources(source: str | PathLike, renderer: SkyRenderer) -> QTable:
    """Read a table of true sources.

    Parameters
    ----------
    source : path-like
        A table with the columns of the schema SOURCES (ECSV, FITS, VOTable, CSV), or a catalogue
        that the renderer knows, by file or name.
    renderer : SkyRenderer

    Returns
    -------
    QTable
        Schema SOURCES and the other columns of the file; ``meta`` has the name and SHA-256 of the
        file.

    Raises
    ------
    InputFileError
        If the file cannot be used; the subclass describes the fault.
    TableError
        If the table lacks a column, or values are impossible for sources.
    """
    table = renderer.read_catalogue(source)
    if table is None:
        table = read_table(source)
    with of_file(source):
        table = check_sources(table, flux_unit=renderer.flux_unit)
    named = {"name": fspath(source)}
    table.meta = describe_input(source) if Path(source).is_file() else named
    return table


def check_sources(table: QTable, *, flux_unit: u.UnitBase = FLUX) -> QTable:
    """Return a table of sources in the schema's order and units, if its values can be true.

    Parameters
    ----------
    table : QTable
        Columns without a unit are taken to have that of the schema.
    flux_unit : unit
        That of the instrument.

    Raises
    ------
    TableError
        If a column is missing or does not convert, a position or flux is not finite, a flux is
        negative, or a name is missing or occurs twice.
    """
    schema = in_flux_unit(SOURCES, flux_unit)
    missing = [column.name for column in schema if column.name not in table.colnames]
    if missing:
        raise TableError(
            f"the table lacks the column {', '.join(missing)}; it has "
            f"{', '.join(table.colnames) or 'none'}",
            remedy=f"A table of sources has {_listed(schema)}.",
        )
    several = [column.name for column in schema if table[column.name].ndim != 1]
    if several:
        raise TableError(
            f"the column {several[0]} has several values in a row",
            remedy="Give one for each source.",
        )
    table = conform(_with_units(table, schema), schema, what="the table")
    names = np.char.strip(table["name"])
    ra, dec = table["ra"].value, table["dec"].value
    flux = table["flux"].value
    _, first = np.unique(names, return_index=True)
    again = np.ones(len(names), dtype=bool)
    again[first] = False
    _refuse(names == "", table, "no name", "Give each source a unique name.")
    _refuse(again, table, "a name that occurs twice", "Give each source a unique name.")
    _refuse(
        ~(np.isfinite(ra) & (np.abs(dec) <= 90)),
        table,
        "no valid position",
        "ra and dec must be finite, dec between -90 and 90 deg.",
    )
    _refuse(
        ~(np.isfinite(flux) & (flux >= 0)),
        table,
        "a flux that is negative or not finite",
        "Fluxes must be finite and not negative.",
    )
    return table


def _listed(schema: Sequence[Column]) -> str:
    return ", ".join(f"{c.name} ({c.unit})" if c.unit else c.name for c in schema)


def _with_units(table: QTable, schema: Sequence[Column]) -> QTable:
    """Take columns without a unit, as in a plain CSV file, to have that of the schema."""
    table = QTable(table, copy=False)
    for column in schema:
        values = table[column.name]
        if column.unit and values.unit is None and values.dtype.kind in "fiu":
            table[column.name] = np.ma.filled(values.astype(float), np.nan) * u.Unit(column.unit)
    return table


def _refuse(bad: np.ndarray, table: QTable, fault: str, remedy: str) -> None:
    """Raise an error if some rows are bad, with their number and the first of them."""
    rows = np.flatnonzero(bad)
    if rows.size:
        name = str(table["name"][rows[0]])
        raise TableError(
            f"{rows.size} of {len(table)} sources have {fault}, the first in row {rows[0] + 1}"
            + (f" ({name})" if name else ""),
            remedy=remedy,
        )
