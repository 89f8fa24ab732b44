"""Tables of stars from other sources, such as results of Gaia queries."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.io import read_table
from gammafind.errors import TableError
from gammafind.plugins.meerlicht.filters import FILTERS, photon_flux

_GAIA = "phot_g_mean_mag"
_GAIA_AB = 0.1136
"""AB minus Vega magnitude of G in Gaia DR3: 25.8010 - 25.6874."""
_NAMES = ("name", "source_id", "SOURCE_ID", "designation")


def read_magnitudes(source: str | PathLike, name: str) -> QTable | None:
    """Read a table with positions and magnitudes as sources.

    Parameters
    ----------
    source : path-like
        A table (ECSV, FITS, VOTable, CSV) with ``ra``, ``dec`` and ``mag_<filter>``, ``mag`` or
        ``phot_g_mean_mag``; the last one plus 0.11 mag is used as AB magnitude in any filter. Rows
        without magnitude are ignored.
    name : str
        Filter.

    Returns
    -------
    QTable or None
        Schema SOURCES with ``mag_<filter>``; None if the table has no magnitudes.

    Raises
    ------
    TableError
        If there are magnitudes but no positions.
    """
    if not Path(source).is_file():
        return None
    table = read_table(source)
    column = next((c for c in (f"mag_{name}", "mag", _GAIA) if c in table.colnames), None)
    if column is None or "flux" in table.colnames:
        return None
    missing = [c for c in ("ra", "dec") if c not in table.colnames]
    if missing:
        raise TableError(f"the table lacks the column {', '.join(missing)}", path=source)
    magnitudes = _numbers(table[column]) + (_GAIA_AB if column == _GAIA else 0.0)
    kept = np.isfinite(magnitudes)
    table, magnitudes = table[kept], magnitudes[kept]
    sources = QTable({"name": _labels(table)})
    for axis in ("ra", "dec"):
        sources[axis] = _numbers(table[axis]) * u.deg
    given = "class_label" in table.colnames
    sources["class_label"] = table["class_label"] if given else np.full(len(table), "star")
    sources["flux"] = photon_flux(magnitudes, FILTERS[name]) * u.Unit("cm-2 s-1")
    sources[f"mag_{name}"] = magnitudes * u.mag
    for other in table.colnames:
        if other not in sources.colnames and other != column:
            sources[other] = table[other]
    return sources


def _numbers(column: object) -> np.ndarray:
    """Plain numbers of a column with or without unit or mask, NaN if there is none."""
    values = getattr(column, "value", column)
    return np.asarray(np.ma.filled(np.ma.asarray(values, dtype=float), np.nan))


def _labels(table: QTable) -> np.ndarray:
    column = next((name for name in _NAMES if name in table.colnames), None)
    if column is None:
        return np.array([f"S{i:06d}" for i in range(len(table))], dtype=str)
    return np.asarray(table[column]).astype(str)
