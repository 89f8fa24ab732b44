"""Association of sources with the names of a reference catalogue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import column_of, texts
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.position_columns import bare
from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.publish import source_names
from gammafind.catalogue.schema import CATALOGUE, Column, conform
from gammafind.errors import TableError

_NAMES = (
    "sourcename",
    "name",
    "source",
    "designation",
    "mainid",
    "object",
    "objectname",
    "objname",
    "srcname",
    "candidatename",
    "sourceid",
    "jname",
    "psrj",
    "id",
)
"""Names of columns of names, without case and marks; the first that is there counts."""


def associate(
    catalogue: QTable,
    reference: QTable,
    radius: Quantity,
    *,
    columns: Sequence[Column] = CATALOGUE,
) -> QTable:
    """Fill the column of associations with the names of a reference catalogue.

    Parameters
    ----------
    catalogue : QTable
        From `gammafind.catalogue.publish.publish`.
    reference : QTable
        Table with positions, and ``Source_Name`` or ``name`` (case does not matter), or another
        column of names; sources without a name are named after their positions.
    radius : Quantity
        Largest separation of a source and its counterpart; each is used once.
    columns : sequence of Column
        Of the catalogue; one of them holds ``association``.

    Returns
    -------
    QTable
        A copy; the column is empty where there is no counterpart.

    Raises
    ------
    TableError
        If the reference has no positions.
    """
    here = sky_positions(catalogue, what="the catalogue")
    there = sky_positions(reference, what="the reference catalogue")
    matches = match_one_to_one(here, there, radius)
    names = np.full(len(catalogue), "", dtype=object)
    names[matches.a] = names_in(reference, there)[0][matches.b]
    associated = QTable(catalogue, copy=True)
    name = next((c.name for c in columns if c.quantity == "association"), "association")
    associated[name] = names.astype(str)
    return conform(associated, columns, what="the catalogue")


def names_in(table: QTable, positions: SkyCoord, *, column: str = "") -> tuple[np.ndarray, str]:
    """Names of the sources of a table, after their positions where they have none.

    Parameters
    ----------
    table : QTable
        n rows.
    positions : SkyCoord, shape (n,)
    column : str
        Column of the names, in place of the one that is found.

    Returns
    -------
    names : ndarray of str, shape (n,)
    origin : str
        The column, or that names are after positions.

    Raises
    ------
    TableError
        If ``column`` is not there, or has several texts in a row.
    """
    known = {bare(name): name for name in reversed(table.colnames)}
    found = [known[name] for name in _NAMES if name in known]
    name = column or (found[0] if found else column_of(table, "source_name"))
    after = np.char.strip(source_names(positions, prefix=""))
    if name is None:
        return after, "after the positions"
    if name not in table.colnames:
        raise TableError(
            f"there is no column {name}", remedy=f"The table has {', '.join(table.colnames)}."
        )
    names = texts(table, name)
    return np.where(names == "", after, names), name
