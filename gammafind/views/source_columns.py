"""The columns of a catalogue for the table of the page: what each holds, and how it is written."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import as_texts, column_of, numbers_of, texts_of
from gammafind.sky.pixels import Pixels
from gammafind.units import FLUX
from gammafind.views.rows import Rows

_FIGURES = 4
"""Significant figures of a typical value of a column."""
_POSITIONS = {"RAJ2000", "DEJ2000", "GLON", "GLAT"}
"""Names that columns of positions on the sky usually have."""
_SIGNIFICANT = 10
"""Figures that are kept of each value: positions of images need them."""
_SMALL, _LARGE = 1e-3, 1e6
"""Numbers outside are written with an exponent."""
_MOST_DECIMALS = 6
_DECIMALS, _FINE_DECIMALS = 4, 7
"""Decimals of positions in degrees."""
_FINE = 5 / 3600
"""Error in degrees below which positions have more of them."""
COUNTERPART = "Counterpart"
"""Heading of the matched source of the reference, where the catalogue has no such column."""


def source_columns(
    catalogue: QTable, rows: Rows, pixels: Pixels | None = None, score_name: str = "score"
) -> dict[str, Any]:
    """Columns and values, ready for JSON.

    Parameters
    ----------
    catalogue : QTable
        n rows.
    rows : Rows
        The same detections.
    pixels : Pixels, optional
        Pixels of the map: where no position error is known, their size says how many decimals
        positions have.
    score_name : str
        What the localiser calls its scores.

    Returns
    -------
    dict
        ``n``; ``columns``: for each ``key``, ``label``, ``unit``, ``type`` (text or number),
        ``form`` and ``digits``, ``description``; ``values``: by key, n of them, null where one is
        not known. Columns of vectors, and those without any value, are left out.
    """
    columns, values = [], {}
    score, of_score = column_of(catalogue, "score"), f"Score of the localiser: {score_name}"
    decimals = _FINE_DECIMALS if _accuracy(catalogue, pixels) < _FINE else _DECIMALS
    for name in catalogue.colnames:
        column = catalogue[name]
        if column.ndim != 1:
            continue
        described = (
            _text(catalogue, name) if _is_text(column) else _numbers(catalogue, name, decimals)
        )
        if described is None:
            continue
        about, values[name] = described
        meaning = of_score if name == score else _meaning(column)
        columns.append({"key": name, "label": name, "description": meaning, **about})
    if np.any(rows.association != "") and not np.any(texts_of(catalogue, "association") != ""):
        about = {"type": "text", "unit": "", "description": "Matched source of the reference"}
        columns.insert(1, {"key": COUNTERPART, "label": COUNTERPART, **about})
        values[COUNTERPART] = rows.association.tolist()
    first = [one for one in columns if values[one["key"]] == rows.name.tolist()][:1]
    if not first:
        first = [{"key": "name", "label": "Name", "type": "text", "unit": "", "description": ""}]
        values["name"] = rows.name.tolist()
    rest = [one for one in columns if one is not first[0]]
    return {"n": len(catalogue), "columns": first + rest, "values": values}


def _is_text(column: object) -> bool:
    return column.dtype.kind in "USO"


def _meaning(column: object) -> str:
    return str(column.info.description or "")


def _text(catalogue: QTable, name: str) -> tuple[dict[str, Any], list[str]] | None:
    """Text of a column; None where it has none."""
    values = as_texts(catalogue[name])
    if not np.any(values != ""):
        return None
    return {"type": "text", "unit": ""}, values.tolist()


def _numbers(
    catalogue: QTable, name: str, decimals: int
) -> tuple[dict[str, Any], list[float | None]] | None:
    """Numbers of a column and how they are written; None where it has none."""
    column = catalogue[name]
    if column.dtype.kind not in "fiub":
        return None
    unit = "" if column.unit is None else _unit_text(column.unit)
    bare = getattr(column, "unmasked", column)
    plain = bare.value if isinstance(bare, Quantity) else np.ma.getdata(bare)
    values = np.asarray(plain, dtype=float)
    missing = np.broadcast_to(getattr(column, "mask", False), values.shape) | ~np.isfinite(values)
    if np.all(missing):
        return None
    form = _form(values[~missing], column.dtype.kind)
    if name in _positions(catalogue):
        form = {"form": "f", "digits": decimals}
    about = {"type": "number", "unit": unit, **form}
    kept = [None if gone else float(f"{value:.{_SIGNIFICANT}g}")
            for value, gone in zip(values.tolist(), missing.tolist(), strict=True)]  # fmt: skip
    return about, kept


def _unit_text(unit: u.UnitBase) -> str:
    """Unit as the tables of observatories write it, such as cm-2 s-1."""
    if unit == FLUX:
        return "cm-2 s-1"
    try:
        return unit.to_string("fits")
    except ValueError:
        return unit.to_string()


def _positions(catalogue: QTable) -> set[str | None]:
    """Names of the columns of positions on the sky."""
    return {column_of(catalogue, name) for name in ("ra", "dec", "glon", "glat")} | _POSITIONS


def _accuracy(catalogue: QTable, pixels: Pixels | None) -> float:
    """Median position error in degrees; the size of a pixel where none is known."""
    errors = numbers_of(catalogue, "r95", "deg")
    known = errors[np.isfinite(errors)]
    if len(known):
        return float(np.median(known))
    return np.inf if pixels is None else float(pixels.pixel_size.to_value("deg"))


def _form(values: np.ndarray, kind: str) -> dict[str, Any]:
    """Whole numbers, decimals, or an exponent."""
    if kind in "iub":
        return {"form": "f", "digits": 0}
    sizes = np.abs(values[values != 0])
    typical = float(np.median(sizes)) if len(sizes) else 1.0
    if not _SMALL <= typical < _LARGE:
        return {"form": "e", "digits": _FIGURES - 2}
    decimals = _FIGURES - 1 - int(np.floor(np.log10(typical)))
    return {"form": "f", "digits": int(np.clip(decimals, 0, _MOST_DECIMALS))}


def radii(catalogue: QTable) -> list[float]:
    """Radii of the 95 % position errors in degrees; 0 where one is not known."""
    return [
        round(value, 7) for value in np.nan_to_num(numbers_of(catalogue, "r95", "deg")).tolist()
    ]
