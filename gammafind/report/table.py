"""The catalogue as the page shows it: chosen columns, readable numbers, links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.columns import numbers
from gammafind.report.rows import Rows
from gammafind.report.style import capitalised

__all__ = ["table_of"]


@dataclass(frozen=True)
class _Shown:
    """A column of numbers: its name, heading, unit, and how a value is written."""

    name: str
    label: str
    unit: str
    form: str


_SCORE = _Shown("Score", "Score", "", ".4g")
_NUMBERS = (
    _Shown("Conf_95_SemiMajor", "r95 [deg]", "deg", ".3f"),
    _SCORE,
    _Shown("TS", "TS", "", ".1f"),
    _Shown("Signif_Avg", "Significance", "", ".1f"),
    _Shown("Npred", "Npred", "", ".1f"),
    _Shown("Flux", "Flux [cm-2 s-1]", "cm-2 s-1", ".2e"),
    _Shown("Unc_Flux", "Error of flux [cm-2 s-1]", "cm-2 s-1", ".1e"),
)


def table_of(catalogue: QTable, rows: Rows, *, score_name: str = "score") -> dict[str, Any]:
    """Bring the catalogue into the form that the script of the page reads.

    Parameters
    ----------
    catalogue : QTable
        Schema CATALOGUE, n rows.
    rows : Rows
        The same detections.
    score_name : str
        What the localiser calls its scores. Where a column of this name holds them, they are
        shown once.

    Returns
    -------
    dict
        ``columns``: for each its ``label`` and ``type`` (text, number or link). ``rows``: for
        each detection one cell a column: a text; ``[number, text]``, null where not known; or
        ``[number, text, address]``, sorted by the number. Columns without any value are left
        out. Ready for JSON.
    """
    columns: list[tuple[str, str, list]] = [("Name", "text", rows.name.tolist())]
    columns += _positions(rows.positions)
    for shown in _NUMBERS:
        if shown is _SCORE and score_name in catalogue.colnames:
            continue
        values = numbers(catalogue, shown.name, shown.unit)
        if np.any(np.isfinite(values)):
            label = capitalised(score_name) if shown is _SCORE else shown.label
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


def _positions(positions: SkyCoord) -> list[tuple[str, str, list]]:
    """ICRS positions, linked to Aladin Lite, and Galactic ones, linked to SIMBAD."""
    galactic = positions.galactic
    aladin = "https://aladin.cds.unistra.fr/AladinLite/?fov=2&target="
    simbad = "https://simbad.cds.unistra.fr/simbad/sim-coo?CooFrame=Gal&Radius=10&Coord="
    return [
        ("ICRS [deg]", "link", _links(positions.ra.deg, positions.dec.deg, aladin)),
        ("Galactic [deg]", "link", _links(galactic.l.deg, galactic.b.deg, simbad)),
    ]


def _links(lon: np.ndarray, lat: np.ndarray, address: str) -> list:
    texts = [f"{a:.4f} {b:+.4f}" for a, b in zip(lon, lat, strict=True)]
    return [
        [round(float(a), 6), text, address + quote_plus(text)]
        for a, text in zip(lon, texts, strict=True)
    ]


def _cells(values: np.ndarray, form: str) -> list:
    return [
        [float(f"{value:.6g}"), format(value, form)] if np.isfinite(value) else None
        for value in values.tolist()
    ]
