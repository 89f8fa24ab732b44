"""What differs between two catalogues of one sky: new, gone, moved and changed sources."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.associate import names_in
from gammafind.catalogue.association.position_errors import SIGMA_OF_R95, position_errors
from gammafind.catalogue.columns import column_of, numbers
from gammafind.catalogue.pairs import pairs_within
from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.publish import letters
from gammafind.units import without_photons

MOVED = float(np.sqrt(2 * np.log(100)))
"""Separation in sigma of both errors together that 1 % of unmoved sources exceed (3.03)."""
_LIMIT = 2.0
"""Separation of a pair in 95 % errors of both together: beyond it they are two sources."""
STATUS = ("same", "moved", "changed", "moved and changed", "new", "gone", "not searched")
"""What a row may be; a source where the other catalogue did not search is not searched."""


def differences(
    old: QTable,
    new: QTable,
    *,
    radius: Quantity | None = None,
    fallback: Quantity = 0.3 * u.deg,
    n_sigma: float = 3.0,
    searched_old: np.ndarray | None = None,
    searched_new: np.ndarray | None = None,
) -> QTable:
    """Match two catalogues one to one, nearest pairs first, and compare the pairs.

    Parameters
    ----------
    old, new : QTable
        n and m rows with positions.
    radius : Quantity, optional
        Largest separation of a pair, an angle. By default twice the 95 % position errors of both
        together.
    fallback : Quantity
        Largest separation where errors are not known.
    n_sigma : float
        Change of a flux, in errors of both together, from which it counts.
    searched_old : ndarray of bool, shape (n,), optional
        Which old sources are where the new catalogue searched; all by default.
    searched_new : ndarray of bool, shape (m,), optional
        Which new sources are where the old catalogue searched.

    Returns
    -------
    QTable
        One row a source: the pairs and the new sources in the order of ``new``, then those that are
        gone. ``Row_Old`` and ``Row_New`` are -1 where there is none.
    """
    here = sky_positions(new, what="the new catalogue")
    there = sky_positions(old, what="the old catalogue")
    i, j, separation = _matched(new, old, here, there, radius, fallback)
    row_new = np.concatenate([np.arange(len(new)), np.full(len(old) - len(j), -1)])
    row_old = np.full(len(row_new), -1)
    row_old[i] = j
    row_old[len(new) :] = np.setdiff1d(np.arange(len(old)), j)
    apart = np.full(len(row_new), np.nan)
    apart[i] = separation
    columns = _compared(old, new, row_old, row_new)
    sigma = apart / _sigma(old, new, row_old, row_new)
    status = _status(row_old, row_new, sigma, columns["Flux_Sigma"], n_sigma)
    for rows, searched in ((row_new, searched_new), (row_old, searched_old)):
        if searched is not None:
            other = row_old if rows is row_new else row_new
            outside = (other < 0) & (rows >= 0)
            outside[outside] = ~searched[rows[outside]]
            status[outside] = "not searched"
    names = [names_in(one, place)[0] for one, place in ((old, there), (new, here))]
    position = [
        np.where(row_new >= 0, _taken(one, row_new), _taken(other, row_old))
        for one, other in zip(_axes(here), _axes(there), strict=True)
    ]
    return QTable(
        {
            "Status": status,
            "Name_Old": _texts(names[0], row_old),
            "Name_New": _texts(names[1], row_new),
            "RAJ2000": position[0] * u.deg,
            "DEJ2000": position[1] * u.deg,
            "Separation": apart * u.deg,
            "Separation_Sigma": sigma,
            **columns,
            "Row_Old": row_old,
            "Row_New": row_new,
        }
    )


def flux_columns(old: QTable, new: QTable) -> tuple[str, str] | None:
    """Columns of flux and its error that both catalogues have for the same energies.

    None where they have none, or their metadata name different energies (``flux_band``) or presets.
    """
    for key in ("flux_band", "preset"):
        values = [one.meta.get(key) for one in (old, new)]
        if all(values) and values[0] != values[1]:
            return None
    found = [[column_of(one, quantity) for quantity in ("flux", "flux_err")] for one in (old, new)]
    if found[0] != found[1] or None in found[0]:
        return None
    units = [without_photons(one[found[0][0]].unit or u.one) for one in (old, new)]
    return tuple(found[0]) if units[0].is_equivalent(units[1]) else None


def carried_names(table: QTable, new: QTable) -> np.ndarray:
    """Names of a new catalogue in which each source keeps the name that it had, shape (m,).

    A new source whose name is taken gets a letter.

    Parameters
    ----------
    table : QTable
        From `differences`.
    new : QTable
    """
    names = names_in(new, sky_positions(new))[0].astype(object)
    paired = (np.asarray(table["Row_Old"]) >= 0) & (np.asarray(table["Row_New"]) >= 0)
    rows = np.asarray(table["Row_New"])[paired]
    names[rows] = np.asarray(table["Name_Old"])[paired]
    gone = np.asarray(table["Name_Old"])[np.asarray(table["Row_New"]) < 0]
    taken = {*names[rows], *gone}
    for row in np.setdiff1d(np.arange(len(new)), rows):
        name, number = names[row], 0
        while names[row] in taken:
            names[row] = f"{name}{letters(number)}"
            number += 1
        taken.add(names[row])
    return names.astype(str)


def _matched(
    new: QTable,
    old: QTable,
    here: SkyCoord,
    there: SkyCoord,
    radius: Quantity | None,
    fallback: Quantity,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a new and an old row, and their separations: the nearest pairs are made first.

    The largest number of pairs would move names from a source to its neighbour.
    """
    if radius is not None:
        reach, limit = np.full(len(new), radius.to_value(u.deg)), None
    else:
        limits = [_r95(one) for one in (new, old)]
        widest = max((float(np.nanmax(one)) for one in limits if np.isfinite(one).any()), default=0)
        own = np.where(np.isfinite(limits[0]), limits[0], 0)
        reach = np.maximum(_LIMIT * np.hypot(own, widest), fallback.to_value(u.deg))
        limit = limits
    i, j, separation = pairs_within(here, there, reach)
    if limit is not None:
        both = _LIMIT * np.hypot(limit[0][i], limit[1][j])
        near = separation <= np.where(np.isfinite(both), both, fallback.to_value(u.deg))
        i, j, separation = i[near], j[near], separation[near]
    kept, used_new, used_old = [], set(), set()
    for pair in np.lexsort((j, i, separation)):
        if i[pair] not in used_new and j[pair] not in used_old:
            kept.append(pair)
            used_new.add(i[pair])
            used_old.add(j[pair])
    chosen = np.array(kept, dtype=int)
    return i[chosen], j[chosen], separation[chosen]


def _r95(table: QTable) -> np.ndarray:
    """Largest 95 % radii in degrees, with the size of the source; NaN where not known."""
    errors = position_errors(table)
    known = errors.known | (errors.radius > 0)
    widest = np.sqrt(np.linalg.eigvalsh(errors.with_size)[:, -1]) if len(table) else np.zeros(0)
    return np.where(known, widest / SIGMA_OF_R95, np.nan)


def _sigma(old: QTable, new: QTable, row_old: np.ndarray, row_new: np.ndarray) -> np.ndarray:
    """Sigma in degrees of the separations of pairs; NaN where an error is not known."""
    with np.errstate(invalid="ignore"):
        values = np.hypot(_taken(_r95(old), row_old), _taken(_r95(new), row_new)) * SIGMA_OF_R95
    return np.where(values > 0, values, np.nan)


def _compared(
    old: QTable, new: QTable, row_old: np.ndarray, row_new: np.ndarray
) -> dict[str, Quantity | np.ndarray]:
    """Fluxes of pairs, and their changes in errors; all NaN where they cannot be compared."""
    columns = flux_columns(old, new)
    if columns is None:
        return {"Flux_Sigma": np.full(len(row_new), np.nan)}
    unit = without_photons(new[columns[0]].unit or u.one)
    made: dict[str, Quantity | np.ndarray] = {}
    for label, one, rows in (("Old", old, row_old), ("New", new, row_new)):
        flux, error = (_taken(numbers(one, name, unit), rows) for name in columns)
        made[f"Flux_{label}"], made[f"Unc_Flux_{label}"] = flux, error
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.hypot(made["Unc_Flux_Old"], made["Unc_Flux_New"])
        change = (made["Flux_New"] - made["Flux_Old"]) / both
    labelled = {name: values * unit for name, values in made.items()}
    return {**labelled, "Flux_Sigma": np.where(both > 0, change, np.nan)}


def _status(
    row_old: np.ndarray, row_new: np.ndarray, sigma: np.ndarray, change: np.ndarray, n_sigma: float
) -> np.ndarray:
    status = np.full(len(row_new), "same", dtype="U20")
    moved, changed = sigma > MOVED, np.abs(change) > n_sigma
    status[moved], status[changed] = "moved", "changed"
    status[moved & changed] = "moved and changed"
    status[row_old < 0], status[row_new < 0] = "new", "gone"
    return status


def _axes(positions: SkyCoord) -> tuple[np.ndarray, np.ndarray]:
    """Right ascensions and declinations in degrees."""
    return positions.icrs.ra.deg, positions.icrs.dec.deg


def _taken(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values of rows; NaN for row -1."""
    return np.append(values, np.nan)[np.where(rows < 0, len(values), rows)]


def _texts(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.append(values.astype(object), "")[np.where(rows < 0, len(values), rows)].astype(str)
