"""Spectra and shapes of the sources of a catalogue, as files of models hold them."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.columns import numbers, texts_of
from gammafind.catalogue.formats.lat_layout import radii_of, shapes_of
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import TableError

_log = logging.getLogger("gammafind")

_DENSITY = "cm-2 s-1 MeV-1"
_COLUMNS = {
    "PowerLaw": {"norm": "PL_Flux_Density", "index": "PL_Index"},
    "LogParabola": {"norm": "LP_Flux_Density", "index": "LP_Index", "beta": "LP_beta"},
    "PLSuperExpCutoff": {
        "norm": "PLEC_Flux_Density",
        "index": "PLEC_IndexS",
        "factor": "PLEC_ExpfactorS",
        "exponent": "PLEC_Exp_Index",
    },
}
"""Columns of the parameters of each form."""
_EARLY = {"index": "PLEC_Index", "factor": "PLEC_Expfactor"}
"""Those of the cut-off of 4FGL and 4FGL-DR2, exp(a (E0^b - E^b))."""
EARLY_CUTOFF = "PLSuperExpCutoff2"
_NEEDED = ("Pivot_Energy", *_COLUMNS["PowerLaw"].values())


@dataclass(frozen=True)
class Spatial:
    """Shape of an extended source: disc, ring, gaussian or map; angles in degrees."""

    form: str
    radius: float
    inner: float
    ratio: float
    angle: float
    file: str


@dataclass(frozen=True)
class SourceModel:
    """One source: where it is, its spectrum, and its shape if it is no point.

    Attributes
    ----------
    name : str
    ra, dec : float
        ICRS, in degrees.
    ts : float
        NaN where it is not known.
    form : {"PowerLaw", "LogParabola", "PLSuperExpCutoff", "PLSuperExpCutoff2"}
    pivot : float
        Energy E0 in MeV.
    values : dict of str to tuple of float
        Value and error of ``norm`` (cm-2 s-1 MeV-1), ``index``, and ``beta`` or ``factor`` and
        ``exponent``; an error that is not known is NaN.
    spatial : Spatial or None
    """

    name: str
    ra: float
    dec: float
    ts: float
    form: str
    pivot: float
    values: dict[str, tuple[float, float]]
    spatial: Spatial | None


def source_models(table: QTable) -> list[SourceModel]:
    """Models of the sources of a catalogue, in its order.

    A source whose best form has no parameters has a power law; one without any spectrum is left
    out, with a line in the log.

    Parameters
    ----------
    table : QTable
        With the columns of `gammafind.catalogue.measured_columns`, or those of 4FGL-DR2.

    Raises
    ------
    TableError
        If there are no spectra, or two sources have one name.
    """
    missing = [name for name in _NEEDED if name not in table.colnames]
    if missing:
        raise TableError(
            f"the catalogue has no spectra: it lacks {', '.join(missing)}",
            remedy="Measure its sources first (gammafind measure).",
        )
    names = texts_of(table, "source_name")
    check_names(names)
    positions = sky_positions(table, what="the catalogue")
    forms = texts_of(table, "SpectrumType")
    columns = {form: _parameters(table, form) for form in _all_forms(table)}
    pivot, ts = numbers(table, "Pivot_Energy", "MeV"), _test_statistics(table)
    shapes = _spatial(table)
    models = []
    for row in range(len(table)):
        form = _form_of(str(forms[row]), columns, row)
        if form and pivot[row] > 0:
            values = {key: (float(v[row]), float(e[row])) for key, (v, e) in columns[form].items()}
            place = positions[row]
            models.append(
                SourceModel(
                    "".join(mark for mark in str(names[row]) if mark.isprintable()),
                    float(place.ra.deg),
                    float(place.dec.deg),
                    float(ts[row]),
                    form,
                    float(pivot[row]),
                    values,
                    shapes[row],
                )
            )
    if len(models) < len(table):
        _log.warning("%d sources without a spectrum are left out", len(table) - len(models))
    return models


def check_names(names: np.ndarray) -> None:
    """Raise TableError if sources have no names, or two of them have the same."""
    twice = [name for name, times in Counter(names.tolist()).items() if times > 1 or not name]
    if twice:
        shown = ", ".join(repr(str(name)) for name in twice[:5])
        raise TableError(
            f"names of sources are empty or occur twice: {shown}",
            remedy="Give each source a name of its own: models are found by their names.",
        )


def _all_forms(table: QTable) -> list[str]:
    """Forms whose columns a table has."""
    early = [EARLY_CUTOFF] if set(_EARLY.values()) <= set(table.colnames) else []
    return [f for f, c in _COLUMNS.items() if set(c.values()) <= set(table.colnames)] + early


def _parameters(table: QTable, form: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Values and errors of the parameters of a form, shapes (n,)."""
    early = form == EARLY_CUTOFF
    names = _COLUMNS["PLSuperExpCutoff"] | _EARLY if early else _COLUMNS[form]
    found = {}
    for key, name in names.items():
        unit = _DENSITY if key == "norm" else ""
        found[key] = (numbers(table, name, unit), numbers(table, f"Unc_{name}", unit))
    return found


def _form_of(
    stated: str, columns: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]], row: int
) -> str:
    """Best form of a source whose parameters are known; empty if there is none."""
    later = (stated, EARLY_CUTOFF) if stated == "PLSuperExpCutoff" else (stated,)
    for form in (*later, "PowerLaw"):
        values = [value[row] for value, _ in columns.get(form, {}).values()]
        if values and np.all(np.isfinite(values)) and values[0] >= 0:
            return form
    return ""


def _test_statistics(table: QTable) -> np.ndarray:
    ts = numbers(table, "TS")
    with np.errstate(over="ignore"):
        return np.where(np.isfinite(ts), ts, numbers(table, "Signif_Avg") ** 2)


def _spatial(table: QTable) -> list[Spatial | None]:
    """Shape of each source."""
    shapes, radii = shapes_of(table), radii_of(table)
    inner, angle = (
        np.nan_to_num(numbers(table, f"extension_{name}", "deg")) for name in ("inner", "angle")
    )
    ratio = np.nan_to_num(numbers(table, "extension_ratio"), nan=1.0)
    files = texts_of(table, "extension_map")
    return [
        Spatial(str(shape), float(r), float(i), float(q), float(a), str(file))
        if shape and (r > 0 or shape == "map")
        else None
        for shape, r, i, q, a, file in zip(shapes, radii, inner, ratio, angle, files, strict=True)
    ]
