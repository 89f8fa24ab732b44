"""Columns as arrays, whether masked, with a unit or without."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.units import FLUX

__all__ = ["fluxes", "numbers", "texts"]

_FLUXES = ("Flux1000", "Flux", "flux")


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


def fluxes(table: QTable) -> np.ndarray:
    """Photon fluxes in cm-2 s-1, shape (n,); NaN where the table has none."""
    for name in _FLUXES:
        if name in table.colnames:
            return numbers(table, name, FLUX)
    return np.full(len(table), np.nan)


def texts(table: QTable, *names: str) -> np.ndarray:
    """First of the columns that is there as text, shape (n,); empty where there is none."""
    for name in names:
        if name in table.colnames:
            column = table[name]
            return np.char.strip(np.asarray(np.ma.filled(column, ""), dtype=str))
    return np.full(len(table), "", dtype="U1")
