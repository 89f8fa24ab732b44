"""The catalogue for the page: chosen columns, readable numbers, links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.columns import column_of, fluxes, numbers, numbers_of
from gammafind.sky.pixels import Pixels
from gammafind.units import FLUX
from gammafind.views.rows import Rows
from gammafind.views.style import capitalised


@dataclass(frozen=True)
class _Shown:
    """A column of numbers: what it holds, heading, unit, and how a value is written."""

    quantity: str
    label: str
    unit: str
    form: str


@dataclass(frozen=True)
class _Places:
    """Format of positions: decimals of a degree, position errors, and options of links."""

    decimals: int
    error: _Shown
    aladin: str
    simbad: str


_COARSE = _Places(
    decimals=4,
    error=_Shown("r95", "r95 [deg]", "deg", ".3f"),
    aladin="fov=2",
    simbad="Radius=10",
)
_FINE = _Places(
    decimals=7,
    error=_Shown("r95", "r95 [arcsec]", "arcsec", ".3f"),
    aladin="fov=0.05",
    simbad="Radius=5&Radius.unit=arcsec",
)
_FINE_ERROR = 5 / 3600
"""Error in degrees below which positions are written as `_FINE`."""
_PIXELS = (_Shown("x", "x [pixels]", "pix", ".2f"), _Shown("y", "y [pixels]", "pix", ".2f"))
_SCORE = _Shown("score", "Score", "", ".4g")
_NUMBERS = (
    _SCORE,
    _Shown("mag", "Magnitude", "mag", ".3f"),
    _Shown("mag_err", "Error of magnitude", "mag", ".3f"),
    _Shown("ts", "TS", "", ".1f"),
    _Shown("significance", "Significance", "", ".1f"),
    _Shown("npred", "", "", ".1f"),
)
"""A heading that is empty is the name of the column."""


def table_of(
    catalogue: QTable, rows: Rows, *, score_name: str = "score", pixels: Pixels | None = None
) -> dict[str, Any]:
    """Convert the catalogue to the format of the script of the page.

    Parameters
    ----------
    catalogue : QTable
        Of n rows, from `gammafind.catalogue.publish.publish`.
    rows : Rows
        The same detections.
    score_name : str
        Name that the localiser uses for its scores. If a column of this name contains them, they
        are shown only once.
    pixels : Pixels, optional
        Pixels of the map. Without position errors their size sets the number of decimals. Without
        celestial coordinates no positions are shown.

    Returns
    -------
    dict
        ``columns``: for each its ``label`` and ``type`` (text, number or link). ``rows``: for each
        detection one cell per column: a text; ``[number, text]``, null if not known; or ``[number,
        text, address]``, sorted by the number. Columns without any value are omitted. Ready for
        JSON.
    """
    columns: list[tuple[str, str, list]] = [("Name", "text", rows.name.tolist())]
    places = _FINE if _accuracy(catalogue, pixels) < _FINE_ERROR else _COARSE
    if pixels is None or pixels.celestial:
        columns += _positions(rows.positions, places)
    for shown in (*_PIXELS, places.error, *_NUMBERS, *_of_fluxes(catalogue)):
        if shown is _SCORE and score_name in catalogue.colnames:
            continue
        values = _values(catalogue, shown)
        if np.any(np.isfinite(values)):
            label = capitalised(score_name) if shown is _SCORE else shown.label
            label = label or capitalised(column_of(catalogue, shown.quantity))
            columns.append((label, "number", _cells(values, shown.form)))
    for label, values in (("Class", rows.class_label), ("Counterpart", rows.association)):
        if np.any(values != ""):
            columns.append((label, "text", values.tolist()))
    for name in sorted(name for name in catalogue.colnames if name.startswith("prob_")):
        label = f"P({name.removeprefix('prob_')})"
        columns.append((label, "number", _cells(numbers(catalogue, name), ".3f")))
    return {
        "columns": [{"label": label, "type": kind} for label, kind, _ in columns],
        "rows": [list(row) for row in zip(*(cells for *_, cells in columns), strict=True)],
    }


def _of_fluxes(catalogue: QTable) -> tuple[_Shown, _Shown]:
    """Columns of the fluxes, in the unit that they have."""
    unit = fluxes(catalogue).unit
    text = "cm-2 s-1" if unit == FLUX else unit.to_string()
    return (
        _Shown("flux", f"Flux [{text}]", text, ".2e"),
        _Shown("flux_err", f"Error of flux [{text}]", text, ".1e"),
    )


def _values(catalogue: QTable, shown: _Shown) -> np.ndarray:
    """Values of a column, shape (n,); NaN if a column of another type has this name."""
    try:
        return numbers_of(catalogue, shown.quantity, shown.unit)
    except (u.UnitConversionError, TypeError, ValueError):
        return np.full(len(catalogue), np.nan)


def _accuracy(catalogue: QTable, pixels: Pixels | None) -> float:
    """Median position error in degrees; the size of a pixel where none is known."""
    errors = numbers_of(catalogue, "r95", "deg")
    known = errors[np.isfinite(errors)]
    if len(known):
        return float(np.median(known))
    return np.inf if pixels is None else pixels.pixel_size.to_value("deg")


def _positions(positions: SkyCoord, places: _Places) -> list[tuple[str, str, list]]:
    """ICRS positions, linked to Aladin Lite, and Galactic ones, linked to SIMBAD."""
    galactic = positions.galactic
    aladin = f"https://aladin.cds.unistra.fr/AladinLite/?{places.aladin}&target="
    simbad = f"https://simbad.cds.unistra.fr/simbad/sim-coo?CooFrame=Gal&{places.simbad}&Coord="
    icrs_links = _links(positions.ra.deg, positions.dec.deg, places.decimals, aladin)
    galactic_links = _links(galactic.l.deg, galactic.b.deg, places.decimals, simbad)
    return [("ICRS [deg]", "link", icrs_links), ("Galactic [deg]", "link", galactic_links)]


def _links(lon: np.ndarray, lat: np.ndarray, decimals: int, address: str) -> list:
    texts = [f"{a:.{decimals}f} {b:+.{decimals}f}" for a, b in zip(lon, lat, strict=True)]
    return [
        [round(float(a), decimals + 2), text, address + quote_plus(text)]
        for a, text in zip(lon, texts, strict=True)
    ]


def _cells(values: np.ndarray, form: str) -> list:
    return [
        [float(f"{value:.6g}"), format(value, form)] if np.isfinite(value) else None
        for value in values.tolist()
    ]
