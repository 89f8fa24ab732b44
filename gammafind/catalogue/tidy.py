"""Tables in a form that every file format stores without loss."""

from __future__ import annotations

import json
from os import PathLike, fspath
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io.votable.ucd import check_ucd
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.units import Quantity
from astropy.utils.masked import Masked

from gammafind.errors import TableError


def tidy(table: Table) -> QTable:
    """Copy a table to a form that is the same after writing and reading in each format.

    Floats that are masked become NaN and strings that are masked become empty; integers stay
    masked. Numbers get the byte order of the machine. Byte strings become text, and text loses
    the blanks at its ends. Dimensionless quantities become plain numbers. A column keeps its
    description, and its UCD if it is a valid UCD1+. The metadata become what JSON holds: dicts
    with text keys, lists, text, numbers, true, false, null.

    Parameters
    ----------
    table : Table

    Returns
    -------
    QTable

    Raises
    ------
    TableError
        If a column has neither numbers nor text, or the metadata cannot be converted to JSON.
    """
    clean = QTable(meta=_json_able(dict(table.meta)))
    for name in table.colnames:
        column = table[name]
        clean[name] = _values(column, name)
        clean[name].info.description = column.info.description
        ucd = (column.info.meta or {}).get("ucd")
        if ucd and check_ucd(ucd, check_controlled_vocabulary=True):
            clean[name].info.meta = {"ucd": ucd}
    return clean


def _values(column: object, name: str) -> object:
    if not isinstance(column, Quantity | Column):
        raise TableError(
            f"column {name} is a {type(column).__name__}",
            remedy="Columns must contain numbers, quantities or text.",
        )
    unit = getattr(column, "unit", None)
    mask = np.asarray(column.mask) if isinstance(column, MaskedColumn | Masked) else None
    values = column.unmasked if isinstance(column, Masked) else column
    values = np.array(values.value if isinstance(values, Quantity) else values)
    values = _filled(values.astype(values.dtype.newbyteorder("=")), mask, name)
    plain = unit is None or unit == u.dimensionless_unscaled
    return values if plain else Quantity(values, unit, dtype=values.dtype)


def _filled(values: np.ndarray, mask: np.ndarray | None, name: str) -> np.ndarray:
    """Fill masked values if the type has its own value for missing data."""
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if values.dtype.kind == "U":
        values = np.char.strip(_encodable(values))
    if values.dtype.kind not in "biufU":
        raise TableError(
            f"column {name} has the type {values.dtype}",
            remedy="Columns must contain numbers, quantities or text.",
        )
    if mask is None or not np.any(mask):
        return values
    if values.dtype.kind in "fU":
        values[mask] = np.nan if values.dtype.kind == "f" else ""
        return values
    if values.dtype.kind == "b":
        raise TableError(f"column {name} of booleans has rows without a value")
    return MaskedColumn(values, mask=mask, fill_value=np.iinfo(values.dtype).min)


def _encodable(texts: np.ndarray) -> np.ndarray:
    """Texts without surrogates, which no file can hold; they stand for bytes that are no text."""
    try:
        "".join(texts.ravel().tolist()).encode("utf-8")
    except UnicodeEncodeError:
        flat = [text.encode("utf-8", "replace").decode("utf-8") for text in texts.ravel().tolist()]
        return np.array(flat).reshape(texts.shape)
    return texts


def _json_able(meta: dict[Any, Any]) -> dict[str, Any]:
    try:
        return json.loads(json.dumps(meta, default=_plain, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise TableError(
            f"the metadata cannot be written ({error})",
            remedy="They must consist of dicts, lists, text and finite numbers.",
        ) from None


def _plain(value: object) -> object:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, PathLike):
        return fspath(value)
    raise TypeError(f"a value is a {type(value).__name__}")
