"""Columns of a table, found by what they hold, as arrays: masked or not, with a unit or without.

Each instrument names the columns of its catalogue, and so do those who publish catalogues
elsewhere. Whoever reads one looks a column up here.
"""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.errors import TableError
from gammafind.units import FLUX, without_photons

_NAMES = {
    "source_name": ("Source_Name", "name", "Name", "NAME", "main_id", "MAIN_ID", "designation"),
    "r68": ("Conf_68_SemiMajor", "pos_err"),
    "r95": ("Conf_95_SemiMajor", "Pos_err_95", "r95"),
    "score": ("Score", "score"),
    "ts": ("ts", "TS"),
    "significance": ("Signif_Avg", "Significance"),
    "npred": ("npred", "Npred", "Counts", "electrons"),
    "flux": ("Flux1000", "Flux", "Flux50", "flux"),
    "flux_err": ("Unc_Flux1000", "Unc_Flux", "Unc_Flux50", "flux_err"),
    "extended_name": ("Extended_Source_Name", "extended_name"),
    "class_label": ("CLASS1", "Class", "CLASS", "class_label"),
    "association": ("ASSOC1", "Association", "ASSOC", "association"),
}
KNOWN_NAMES = frozenset(name for names in _NAMES.values() for name in names)
"""Names by which columns are found."""
_UCDS = {
    "source_name": ("meta.id;meta.main",),
    "score": ("stat.value",),
    "flux": ("phot.flux", "phot.flux.density"),
    "flux_err": ("stat.error;phot.flux", "stat.error;phot.flux.density"),
    "class_label": ("meta.code.class", "src.class"),
    "association": ("meta.id.cross",),
}
"""UCDs by which columns of other names are found."""


_OF_TEXT = ("source_name", "extended_name", "class_label", "association")
"""Quantities that are texts."""


def file_of(table: QTable) -> str | None:
    """Name of the file that a table was read from, for messages; None where it does not say."""
    name = table.meta.get("name") if "sha256" in table.meta else None
    return name if isinstance(name, str) else None


def check_known_columns(table: QTable) -> None:
    """Refuse a catalogue in which a column of a usual name is none of single values.

    Parameters
    ----------
    table : QTable

    Raises
    ------
    TableError
        If it has several values in a row, or a column of texts has a unit.
    """
    for quantity in _NAMES:
        name = column_of(table, quantity)
        if name is None:
            continue
        if table[name].ndim != 1:
            fault = f"{name} has several values in each row"
            raise TableError(fault, path=file_of(table), remedy="One is needed.")
        if quantity in _OF_TEXT and isinstance(table[name], Quantity):
            fault = f"{name} is in {table[name].unit}"
            raise TableError(fault, path=file_of(table), remedy="Texts without a unit are needed.")


def names_of(quantity: str) -> tuple[str, ...]:
    """Names that columns of a quantity have; the first counts where there are several."""
    return _NAMES.get(quantity, (quantity,))


def column_of(table: QTable, quantity: str) -> str | None:
    """Name of the column that holds a quantity; None where there is none.

    Parameters
    ----------
    table : QTable
        A catalogue, detections, or a table that others made.
    quantity : str
        As `gammafind.catalogue.schema.Column.quantity` of a published column. Columns that have
        none of the usual names are found by their UCDs.
    """
    known = [name for name in names_of(quantity) if name in table.colnames]
    known += [name for name in table.colnames if _is_described(table[name], quantity)]
    return known[0] if known else None


def _is_described(column: object, quantity: str) -> bool:
    """Whether the UCD of a column of single values is one of those of a quantity."""
    ucd = (column.info.meta or {}).get("ucd", "")
    heads = _UCDS.get(quantity, ())
    return column.ndim == 1 and any(f"{ucd};".startswith(f"{head};") for head in heads)


def numbers(table: QTable, name: str, unit: u.UnitBase | str = "") -> np.ndarray:
    """Column as floats in ``unit``, shape (n,); NaN where a value or the column is missing.

    Parameters
    ----------
    table : QTable
    name : str
    unit : unit
        A column without a unit is taken to be in it. A photon is a plain number: cm-2 s-1 and
        ph cm-2 s-1 are the same.

    Raises
    ------
    TableError
        If the column is in a unit that does not convert, or does not hold numbers, or several in a
        row.
    """
    if name not in table.colnames:
        return np.full(len(table), np.nan)
    if table[name].ndim != 1:
        fault = f"{name} has several numbers in each row"
        raise TableError(fault, path=file_of(table), remedy="One is needed.")
    return vectors(table, name, unit)


def vectors(table: QTable, name: str, unit: u.UnitBase | str = "") -> np.ndarray:
    """As `numbers`, of a column that is there and may have several numbers in a row, (n, ...)."""
    column = table[name]
    missing = np.asarray(getattr(column, "mask", False))
    own = column.unit or u.dimensionless_unscaled
    bare = np.ma.getdata(getattr(column, "unmasked", column))
    try:
        values = np.array(getattr(bare, "value", bare), dtype=float)
        if own != u.dimensionless_unscaled:
            values = Quantity(values, without_photons(own)).to_value(without_photons(u.Unit(unit)))
    except (u.UnitConversionError, TypeError, ValueError) as error:
        wanted = f"Numbers in {unit} are needed." if str(unit) else "Numbers are needed."
        fault = f"{name} cannot be used ({error})"
        raise TableError(fault, path=file_of(table), remedy=wanted) from None
    return np.where(missing, np.nan, values)


def checked_numbers(
    table: QTable, name: str, unit: u.UnitBase | str, *, fault: str, remedy: str
) -> np.ndarray:
    """`numbers`, or a TableError with this fault if the column holds something else."""
    try:
        return numbers(table, name, unit)
    except TableError as error:
        fault = f"{fault} ({error.fault})"
        raise TableError(fault, path=error.path, remedy=remedy) from None


def numbers_of(table: QTable, quantity: str, unit: u.UnitBase | str = "") -> np.ndarray:
    """Column that holds a quantity, as `numbers`; NaN where there is none."""
    name = column_of(table, quantity)
    return np.full(len(table), np.nan) if name is None else numbers(table, name, unit)


def texts_of(table: QTable, quantity: str) -> np.ndarray:
    """Column that holds a quantity, as text, shape (n,); empty where there is none.

    Raises
    ------
    TableError
        If the column has several texts in a row.
    """
    name = column_of(table, quantity)
    return np.full(len(table), "", dtype="U1") if name is None else texts(table, name)


def texts(table: QTable, name: str) -> np.ndarray:
    """Column as text without blanks around it, shape (n,); empty where a value is masked.

    Raises
    ------
    TableError
        If the column has several texts in a row.
    """
    if table[name].ndim != 1:
        fault = f"{name} has several texts in each row"
        raise TableError(fault, path=file_of(table), remedy="One is needed.")
    return np.char.strip(as_texts(table[name]))


def checked_texts(table: QTable, name: str, *, fault: str, remedy: str) -> np.ndarray:
    """`texts`, or a TableError with this fault if the column holds something else."""
    try:
        return texts(table, name)
    except TableError as error:
        fault = f"{fault} ({error.fault})"
        raise TableError(fault, path=error.path, remedy=remedy) from None


def as_texts(column: Any) -> np.ndarray:
    """Values of a column of any type as texts of the same shape; empty where they are masked."""
    missing = np.asarray(getattr(column, "mask", False))
    bare = np.ma.getdata(getattr(column, "unmasked", column))
    values = np.asarray(getattr(bare, "value", bare))
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind == "O":
        values = np.array([str(one) for one in values.ravel()], dtype=str).reshape(values.shape)
    return np.where(missing, "", values.astype(str))


def fluxes(table: QTable) -> Quantity:
    """Fluxes of the sources, shape (n,), in the unit of their column.

    They are in cm-2 s-1 where the column has no unit or counts photons; NaN where a value or
    the column is missing.
    """
    name = column_of(table, "flux")
    if name is None:
        return np.full(len(table), np.nan) * FLUX
    own = table[name].unit
    if own in (None, u.dimensionless_unscaled):
        own = FLUX
    own = without_photons(own)
    return Quantity(numbers(table, name, own), own).to(FLUX if own.is_equivalent(FLUX) else own)
