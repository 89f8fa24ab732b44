"""Columns of numbers, whether masked, with a unit or without."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

__all__ = ["numbers"]


def numbers(table: QTable, name: str, unit: u.UnitBase | str = "") -> np.ndarray:
    """Column as floats in ``unit``, shape (n,); NaN where a value or the column is missing.

    Parameters
    ----------
    table : QTable
    name : str
    unit : unit
        A column without a unit is taken to be in it.

    Raises
    ------
    UnitConversionError
        If the column is in a unit that does not convert.
    ValueError
        If it does not hold numbers.
    """
    if name not in table.colnames:
        return np.full(len(table), np.nan)
    column = table[name]
    missing = np.broadcast_to(getattr(column, "mask", False), len(table))
    own = column.unit or u.dimensionless_unscaled
    bare = np.ma.getdata(getattr(column, "unmasked", column))
    values = np.array(getattr(bare, "value", bare), dtype=float)
    if own != u.dimensionless_unscaled:
        values = Quantity(values, own).to_value(unit)
    return np.where(missing, np.nan, values)
