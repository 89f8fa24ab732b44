"""Names of sources in other catalogues of gamma rays: the same object, seen by the same light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from astropy.coordinates import search_around_sky
from astropy.table import QTable

from gammafind.catalogue.association.counterparts import CounterpartList
from gammafind.catalogue.association.places import Places
from gammafind.catalogue.measured_columns import NAME_COLUMNS

TEV_FLAG = "TEVCAT_FLAG"
"""Column that says whether a source has a name in ``ASSOC_TEV``: N none, P a point, E extended."""
_CHI2 = float(-2 * np.log(0.01))
"""Largest squared distance in sigma of both errors: 99 %, as for a source that has not moved."""
_WIDE = 1 / 3
"""Radius in degrees from which a source of very high energies is extended: that of TeVCat."""
_EXACT = 1e-12
"""Variance in deg2 of positions without an error, 4 milliarcsec squared: keeps them solvable."""
_FARTHEST = 5.0
"""Largest distance in degrees: no object is wider, but for the bubbles."""


def with_names(
    catalogue: QTable, places: Places, lists: Mapping[str, Sequence[CounterpartList]]
) -> QTable:
    """Add the names that sources have in other catalogues of gamma rays.

    Parameters
    ----------
    catalogue : QTable
        n rows.
    places : Places
        Of the rows.
    lists : mapping of str to sequence of CounterpartList
        By column of `NAME_COLUMNS`; the first that has a source names it.

    Returns
    -------
    QTable
        A copy. A source is that of the other catalogue that is nearest in the errors of both, if it
        is within 99 %, and each of these is used once.
    """
    made = QTable(catalogue, copy=True)
    for column, sources in lists.items():
        names, radius = np.full(len(places), "", dtype=object), np.zeros(len(places))
        for one in sources:
            row, entry = same_sources(places, one)
            new = names[row] == ""
            names[row[new]], radius[row[new]] = one.names[entry[new]], one.radius[entry[new]]
        _set(made, column, names.astype(str), "meta.id.cross", NAME_COLUMNS[column])
        if column == "ASSOC_TEV":
            flag = np.where(names == "", "N", np.where(radius >= _WIDE, "E", "P"))
            _set(made, TEV_FLAG, flag, "meta.code", "Name in ASSOC_TEV: N no, P point, E extended")
    return made


def same_sources(places: Places, other: CounterpartList) -> tuple[np.ndarray, np.ndarray]:
    """Rows of sources, and of those of another catalogue that they may be, one to one."""
    known = np.flatnonzero(places.known)
    if not len(known) or not len(other):
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    here, there = places.positions[known].icrs, other.positions.icrs
    reach = min(_farthest(places.covariance[known]) + _farthest(other.covariance), _FARTHEST)
    row, entry, _, _ = search_around_sky(here, there, reach * here.ra.unit)
    offset = np.stack([one.deg for one in here[row].spherical_offsets_to(there[entry])], axis=-1)
    covariance = places.covariance[known[row]] + other.covariance[entry] + _EXACT * np.eye(2)
    distance = np.sum(offset * np.linalg.solve(covariance, offset[..., None])[..., 0], axis=-1)
    order = np.argsort(distance, kind="stable")
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for i in order[distance[order] <= _CHI2]:
        if row[i] not in pairs and entry[i] not in used:
            pairs[int(row[i])] = int(entry[i])
            used.add(int(entry[i]))
    rows = np.array(sorted(pairs), dtype=int)
    return known[rows], np.array([pairs[one] for one in rows.tolist()], dtype=int)


def _farthest(covariance: np.ndarray) -> float:
    """Largest distance in degrees that errors allow."""
    return float(np.sqrt(_CHI2 * np.linalg.eigvalsh(covariance)[:, -1].max()))


def _set(table: QTable, name: str, values: np.ndarray, ucd: str, description: str) -> None:
    table[name] = values
    table[name].info.meta, table[name].info.description = {"ucd": ucd}, description
