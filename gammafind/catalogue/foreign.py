"""Tables as others make them: columns of any kind become numbers, quantities or text."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Column, QTable, Table
from astropy.time import Time
from astropy.units import Quantity, UnrecognizedUnit
from astropy.utils.masked import Masked

from gammafind.catalogue.positions import has_position, sky_positions
from gammafind.catalogue.schema import check_schema
from gammafind.catalogue.sexagesimal import angles_of_texts
from gammafind.errors import MissingPositionsWarning
from gammafind.units import parsed_unit, without_photons

_log = logging.getLogger("gammafind")

_SEXAGESIMAL = {"h:m:s": True, "hms": True, "d:m:s": False, "dms": False}
"""Units of texts that are angles, without quotation marks; whether they are hours."""


def plain(table: Table) -> QTable:
    """Copy a table so that all columns are numbers, quantities or text.

    Texts of variable length become text, times become ISO dates, and positions become ``ra`` and
    ``dec``. Texts in ``"h:m:s"`` and ``"d:m:s"`` become angles; all other texts have no unit. Units
    that are spelled in an unusual way are read. What a table cannot hold, such as arrays of
    different lengths, is left out.

    Parameters
    ----------
    table : Table
        n rows.

    Returns
    -------
    QTable
        All n rows; ``meta`` and the descriptions and UCDs of the columns are kept.
    """
    clean, left_out = QTable(meta=dict(table.meta)), []
    for name in table.colnames:
        column = table[name]
        made = _made_plain(name, column)
        if isinstance(column, SkyCoord) and {"ra", "dec"} & set(table.colnames):
            made = {}
        for new_name, values in made.items():
            clean[new_name] = values
            clean[new_name].info.description = column.info.description
            clean[new_name].info.meta = dict(column.info.meta or {})
        left_out += [] if made else [name]
    if left_out:
        _log.debug("columns that a table cannot hold: %s", ", ".join(left_out))
    return clean


def as_catalogue(table: Table, *, what: str = "the table") -> QTable:
    """Bring a table of sources to a form in which it can be matched and compared.

    Parameters
    ----------
    table : Table
        n rows, with positions.
    what : str
        Name of the table, for messages.

    Returns
    -------
    QTable
        The rows that have a position, with columns as `plain` returns them. A photon is a plain
        number: fluxes in ph cm-2 s-1 are in cm-2 s-1.

    Raises
    ------
    TableError
        If the table has no positions, or no row has one.

    Warns
    -----
    MissingPositionsWarning
        If rows without a position are left out.
    NewerSchemaWarning
        If a later version of gammafind wrote the table.
    """
    check_schema(table.meta, what=what)
    table = plain(table)
    here = has_position(table, what=what)
    if len(table):
        sky_positions(table[here] if np.any(here) else table, what=what)
    if not np.all(here):
        lacking = f"{what}: {np.sum(~here)} of {len(table)} rows have no position"
        warnings.warn(f"{lacking}; they are left out", MissingPositionsWarning, stacklevel=3)
        table = table[here]
    for name in table.colnames:
        unit = getattr(table[name], "unit", None)
        if unit is not None and without_photons(unit) != unit:
            table[name] = _in_unit(table[name], without_photons(unit))
    return table


def _in_unit(column: Quantity, unit: u.UnitBase) -> Quantity:
    """Same numbers and labels in another unit."""
    changed = column.value * unit
    changed.info.description, changed.info.meta = column.info.description, column.info.meta
    return changed


def _made_plain(name: str, column: Any) -> dict[str, Any]:
    """Columns that take the place of one, by name; none if it cannot be held."""
    if isinstance(column, SkyCoord):
        here = column.icrs
        return {"ra": here.ra.deg * u.deg, "dec": here.dec.deg * u.deg}
    if isinstance(column, Time):
        return {name: _text(column.isot)}
    if not isinstance(column, Quantity | Column):
        return {}
    if column.dtype.kind == "O":
        column = _of_objects(column)
    kind = None if column is None else column.dtype.kind
    if kind in ("U", "S"):
        return {name: _of_text(column)}
    if kind == "b" and np.any(getattr(column, "mask", False)):
        return {name: _text(np.where(column.mask, "", np.asarray(column).astype(str)))}
    return {name: _of_numbers(column)} if kind in ("b", "i", "u", "f") else {}


def _of_objects(column: Column) -> Column | None:
    """Column of text or of numbers, if all of its objects are; None otherwise."""
    missing = np.ma.getmaskarray(column) | np.array([one is None for one in column.tolist()])
    here = [one for one, absent in zip(np.ma.getdata(column), missing, strict=True) if not absent]
    if all(isinstance(one, str | bytes) for one in here):
        texts = np.full(len(column), "", dtype=object)
        texts[~missing] = [_decoded(one) for one in here]
        return Column(texts.astype(str), unit=column.unit)
    if all(isinstance(one, int | float | np.number) for one in here):
        values = np.full(len(column), np.nan)
        values[~missing] = here
        return Column(values, unit=column.unit)
    return None


def _decoded(text: str | bytes) -> str:
    """Text of bytes in UTF-8 or, where that fails, in Latin-1, which never does."""
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _text(values: Any) -> Column:
    return Column(np.asarray(values, dtype=str))


def _of_text(column: Column) -> Any:
    """Angles, where the unit says so, or text without a unit."""
    values = np.ma.getdata(column)
    if values.dtype.kind == "S":
        values = np.array([_decoded(one) for one in values.ravel()], dtype=str).reshape(
            values.shape
        )
    filled = np.where(np.ma.getmaskarray(column), "", np.asarray(values))
    hours = _SEXAGESIMAL.get(str(column.unit or "").strip("\"' "))
    if hours is not None and filled.ndim == 1:
        try:
            return angles_of_texts(filled.tolist(), hours=hours) * u.deg
        except ValueError:
            return _text(filled)
    return _text(filled)


def _of_numbers(column: Any) -> Any:
    """Numbers in a unit that is understood, if it is; with the unit as it stands otherwise."""
    unit = column.unit
    if isinstance(unit, UnrecognizedUnit):
        unit = parsed_unit(str(unit)) or unit
    if unit is None or isinstance(column, Quantity):
        return column if unit == column.unit else column.value * unit
    values = np.asarray(np.ma.getdata(column))
    if not np.any(np.ma.getmaskarray(column)):
        return Quantity(values, unit, dtype=values.dtype)
    return Masked(Quantity(values, unit, dtype=values.dtype), mask=np.ma.getmaskarray(column))
