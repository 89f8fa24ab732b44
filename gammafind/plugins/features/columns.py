"""The measured columns of a catalogue like 4FGL, as plain arrays in fixed units."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import checked_numbers, texts_of
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import TableError
from gammafind.units import FLUX, without_photons

BAND_EDGES = np.array([0.05, 0.1, 0.3, 1, 3, 10, 30, 1000])
"""Edges of the bands, GeV: those of DR1 and DR2, and of later releases with the last two summed."""
N_BANDS = len(BAND_EDGES) - 1

SCALARS = {
    "PL_Index": "",
    "Unc_PL_Index": "",
    "LP_Index": "",
    "Unc_LP_Index": "",
    "LP_beta": "",
    "Unc_LP_beta": "",
    "LP_SigCurv": "",
    "PLEC_SigCurv": "",
    "Pivot_Energy": "MeV",
    "Energy_Flux100": "erg cm-2 s-1",
    "Flux1000": "cm-2 s-1",
    "Signif_Avg": "",
    "Variability_Index": "",
}
"""Columns of one number a source, and their units."""
PER_BAND = ("Flux_Band", "Unc_Flux_Band", "Sqrt_TS_Band")
"""Columns of one number a band."""
REQUIRED = ("PL_Index", "Pivot_Energy", "Energy_Flux100")
"""Columns without which a table is not like 4FGL."""

GIVEN = "CLASS1_given"
"""Classes that a catalogue had before it was classified; see `gammafind.classify_catalogue`."""

Columns = dict[str, np.ndarray]
"""Arrays by name: those of `SCALARS` and ``glon``, ``glat`` (deg), ``n_intervals``, shape (n,), and
those of `PER_BAND`, shape (n, 7). NaN where a value or a column is missing. ``is_blazar`` is 1
where the catalogue has found a blazar (bcu) at the position, and 0 elsewhere."""


def columns_of(table: QTable, *, what: str = "the catalogue") -> Columns:
    """Take the columns that are measured from a catalogue like 4FGL, of any release.

    Parameters
    ----------
    table : QTable
        n rows, with positions and the columns of `REQUIRED`. A column without a unit is in that of
        4FGL.
    what : str
        Name of the table, for messages.

    Returns
    -------
    dict of str to ndarray
        See `Columns`.

    Raises
    ------
    TableError
        If the table has no rows, lacks positions or a required column, or a column holds no
        numbers or has another unit.
    """
    if not len(table):
        raise TableError(f"{what} has no rows", remedy="There is nothing to classify.")
    lacking = [name for name in REQUIRED if name not in table.colnames]
    if lacking:
        raise TableError(
            f"{what} lacks the column {', '.join(lacking)}",
            remedy="Accepted are catalogues with columns as in 4FGL (DR1 to DR4) or FL16Y.",
        )
    here = sky_positions(table, what=what).galactic
    columns = {"glon": here.l.wrap_at(180 * u.deg).deg, "glat": here.b.deg}
    for name, unit in SCALARS.items():
        fault = f"{what}: the column {name} cannot be used"
        remedy = f"It holds numbers, one a source, {_in(unit)}."
        if name in table.colnames and table[name].ndim != 1:
            raise TableError(f"{fault} (it has {table[name].ndim} dimensions)", remedy=remedy)
        columns[name] = checked_numbers(table, name, unit, fault=fault, remedy=remedy)
    given = GIVEN if GIVEN in table.colnames else "class_label"
    columns["is_blazar"] = (np.char.lower(texts_of(table, given)) == "bcu").astype(float)
    columns["n_intervals"] = np.full(len(table), float(_n_intervals(table)))
    flux, error, root_ts = (_bands(table, name, what) for name in PER_BAND)
    return {**columns, "Flux_Band": flux, "Unc_Flux_Band": error, "Sqrt_TS_Band": root_ts}


def _in(unit: str) -> str:
    return f"in {unit}" if unit else "without a unit"


def _n_intervals(table: QTable) -> float:
    """Number of intervals of the light curves; NaN where there are none."""
    history = table["Flux_History"] if "Flux_History" in table.colnames else None
    return history.shape[1] if history is not None and history.ndim == 2 else np.nan


def _bands(table: QTable, name: str, what: str) -> np.ndarray:
    """Values of the bands, shape (n, 7); NaN for other numbers of bands than those of 4FGL."""
    missing = np.full((len(table), N_BANDS), np.nan)
    if name not in table.colnames:
        return missing
    values = _plain(table[name], "" if name == "Sqrt_TS_Band" else FLUX, f"{what}: {name}")
    if name == "Unc_Flux_Band" and values.ndim == 3 and values.shape[2] == 2:
        values = np.abs(values)  # Lower and upper error; upper limits have no lower one.
        values = np.where(np.isfinite(values[..., 0]), values.mean(axis=2), values[..., 1])
    if values.ndim == 2 and values.shape[1] == N_BANDS + 1:
        last = values[:, -2:]
        last = last.sum(axis=1) if name == "Flux_Band" else np.hypot(*last.T)
        values = np.column_stack([values[:, :-2], last])
    return values if values.shape == missing.shape else missing


def _plain(column: Quantity, unit: u.UnitBase | str, what: str) -> np.ndarray:
    """Numbers of a column of any shape in a unit; NaN where they are masked."""
    bare = np.ma.getdata(getattr(column, "unmasked", column))
    try:
        if getattr(column, "unit", None) not in (None, u.dimensionless_unscaled):
            own = without_photons(column.unit)
            bare = Quantity(getattr(bare, "value", bare), own).to(unit)
        values = np.array(getattr(bare, "value", bare), dtype=float)
    except (u.UnitConversionError, TypeError, ValueError) as error:
        remedy = f"It holds numbers, several a source, {_in(str(unit))}."
        raise TableError(f"{what} cannot be used ({error})", remedy=remedy) from None
    return np.where(getattr(column, "mask", False), np.nan, values)
