"""Spectra, light curves and flags of a catalogue for the charts of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.columns import numbers, texts_of, vectors
from gammafind.catalogue.flags import MEANINGS
from gammafind.catalogue.spans import check_spans, energy_spans, epoch_spans

_FLAGS = "Flags"
_MOST_FLAGS = 2**53
"""Integers up to here are exact in JSON and in the script of the page."""
_BANDS = ("nuFnu_Band", "Flux_Band", "Unc_Flux_Band")
_HISTORY = ("Flux_History", "Unc_Flux_History")
_DAY = 86400.0
_MET_ZERO = 51910.0
"""MJD of the beginning of the mission elapsed time of Fermi, 2001-01-01 (without leap seconds)."""
_FORMS = {
    "PowerLaw": ("PL_Flux_Density", "PL_Index", None, None),
    "LogParabola": ("LP_Flux_Density", "LP_Index", "LP_beta", None),
    "PLSuperExpCutoff": (
        "PLEC_Flux_Density", "PLEC_IndexS", "PLEC_ExpfactorS", "PLEC_Exp_Index",
    ),
}  # fmt: skip
"""Columns of the parameters of each form of a spectrum, as in 4FGL-DR3."""


def flag_data(catalogue: QTable) -> dict[str, Any] | None:
    """Flags of the sources, and what each bit means."""
    if _FLAGS not in catalogue.colnames:
        return None
    numbered = numbers(catalogue, _FLAGS)
    values = np.where(np.abs(numbered) < _MOST_FLAGS, numbered, 0).astype(int).tolist()
    meanings = [[int(flag), text] for flag, text in MEANINGS.items()]
    return {"column": _FLAGS, "values": values, "meanings": meanings}


def spectrum_data(catalogue: QTable) -> dict[str, Any] | None:
    """Points and fitted curves of the spectra; None where bands were not measured."""
    edges = energy_spans(catalogue.meta)
    if not len(edges) or not set(_BANDS) <= set(catalogue.colnames):
        return None
    values = _values(catalogue, edges, _BANDS[0], "erg cm-2 s-1")
    flux = _values(catalogue, edges, _BANDS[1], "cm-2 s-1")
    error = _values(catalogue, edges, _BANDS[2], "cm-2 s-1", 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(flux > 0, values / flux, np.nan)
    return {
        "edges": (edges / 1e3).tolist(),
        "points": _points(values, error * factor[..., None]),
        "fitted": _fitted(catalogue),
        "erg": (1 * u.GeV).to_value("erg"),
    }


def light_curve_data(catalogue: QTable) -> dict[str, Any] | None:
    """Fluxes of each epoch; None where they were not measured."""
    spans = epoch_spans(catalogue.meta)
    if not len(spans) or not set(_HISTORY) <= set(catalogue.colnames):
        return None
    flux = _values(catalogue, spans, _HISTORY[0], "cm-2 s-1")
    error = _values(catalogue, spans, _HISTORY[1], "cm-2 s-1", 2)
    return {
        "edges": np.round(_MET_ZERO + spans / _DAY, 3).tolist(),
        "points": _points(flux, error),
        "xlabel": "Time [MJD]",
        "unit": "cm⁻² s⁻¹",
    }


def _values(catalogue: QTable, spans: np.ndarray, name: str, unit: str, *more: int) -> np.ndarray:
    """Numbers of a column with a value for each band or epoch, shape (n, n_spans, ...)."""
    return check_spans(vectors(catalogue, name, unit), spans, name, *more)


def _points(values: np.ndarray, error: np.ndarray) -> list[list[list[float | None]]]:
    """Value, lower and upper end, and whether it is a limit: where the lower error is not known."""
    low, high = values + error[..., 0], values + error[..., 1]
    limit = np.isfinite(error[..., 1]) & ~np.isfinite(error[..., 0])
    centre = np.where(limit, values + 2 * error[..., 1], values)
    parts = (_rounded(one) for one in (centre, low, high))
    return [
        [list(point) for point in zip(*row, strict=True)]
        for row in zip(*parts, limit.tolist(), strict=True)
    ]


def _rounded(values: np.ndarray) -> list[list[float | None]]:
    return [[float(f"{v:.4g}") if np.isfinite(v) else None for v in row] for row in values.tolist()]


def _fitted(catalogue: QTable) -> list[dict[str, Any] | None] | None:
    """Parameters of the best form of each spectrum, energies in GeV."""
    if not {"SpectrumType", "Pivot_Energy"} <= set(catalogue.colnames):
        return None
    pivot = numbers(catalogue, "Pivot_Energy", "GeV")
    parameters = {
        form: [
            numbers(catalogue, name, "cm-2 s-1 GeV-1" if "Density" in name else "")
            if name
            else np.zeros(len(catalogue))
            for name in names
        ]
        for form, names in _FORMS.items()
    }
    return [
        _curve(form, pivot[row], [values[row] for values in parameters.get(form, ())])
        for row, form in enumerate(texts_of(catalogue, "SpectrumType").tolist())
    ]


def _curve(form: str, pivot: float, values: Sequence[float]) -> dict[str, Any] | None:
    if not values or not np.all(np.isfinite([pivot, *values])):
        return None
    density, index, curvature, exponent = map(float, values)
    return {
        "type": form, "pivot": float(pivot), "density": density, "index": index,
        "curvature": curvature, "exponent": exponent,
    }  # fmt: skip
