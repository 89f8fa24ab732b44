"""Association of sources with the names of a reference catalogue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.schema import CATALOGUE, Column, conform
from gammafind.errors import TableError

_NAMES = ("source_name", "name")


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
        Table with positions, and ``Source_Name`` or ``name`` (case does not matter).
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
        If the reference has no positions or no names.
    """
    here = sky_positions(catalogue, what="the catalogue")
    there = sky_positions(reference, what="the reference catalogue")
    matches = match_one_to_one(here, there, radius)
    names = np.full(len(catalogue), "", dtype=object)
    names[matches.a] = _names(reference)[matches.b]
    associated = QTable(catalogue, copy=True)
    name = next((c.name for c in columns if c.quantity == "association"), "association")
    associated[name] = names.astype(str)
    return conform(associated, columns, what="the catalogue")


def _names(reference: QTable) -> np.ndarray:
    known = {name.lower(): name for name in reference.colnames}
    for name in _NAMES:
        if name in known:
            return np.asarray(reference[known[name]], dtype=str)
    raise TableError(
        f"the reference catalogue has no names: its columns are {', '.join(reference.colnames)}",
        remedy="Accepted are Source_Name and name.",
    )
