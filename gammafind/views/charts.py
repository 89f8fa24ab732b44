"""Spectra, light curves and flags of a catalogue for the charts of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.columns import numbers, vectors
from gammafind.catalogue.flags import MEANINGS

_ENERGIES, _EPOCHS = "energy_edges_mev", "epoch_edges_met"
_FLAGS = "Flags"
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


def texts_in(table: QTable, name: str) -> list[str]:
    """Texts of a column; empty where there is none of this name."""
    if name not in table.colnames:
        return [""] * len(table)
    return [str(text).strip() for text in np.ma.filled(table[name], "")]


def flag_data(catalogue: QTable) -> dict[str, Any] | None:
    """Flags of the sources, and what each bit means."""
    if _FLAGS not in catalogue.colnames:
        return None
    values = np.nan_to_num(numbers(catalogue, _FLAGS)).astype(int).tolist()
    meanings = [[int(flag), text] for flag, text in MEANINGS.items()]
    return {"column": _FLAGS, "values": values, "meanings": meanings}


def spectrum_data(catalogue: QTable) -> dict[str, Any] | None:
    """Points and fitted curves of the spectra; None where bands were not measured."""
    edges = catalogue.meta.get(_ENERGIES)
    if not edges or "nuFnu_Band" not in catalogue.colnames:
        return None
    values = vectors(catalogue, "nuFnu_Band", "erg cm-2 s-1")
    flux, error = (vectors(catalogue, name, "cm-2 s-1") for name in ("Flux_Band", "Unc_Flux_Band"))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(flux > 0, values / flux, np.nan)
    return {
        "edges": [[low / 1e3, high / 1e3] for low, high in edges],
        "points": _points(values, error * factor[..., None]),
        "fitted": _fitted(catalogue),
        "erg": (1 * u.GeV).to_value("erg"),
    }


def light_curve_data(catalogue: QTable) -> dict[str, Any] | None:
    """Fluxes of each epoch; None where they were not measured."""
    edges = catalogue.meta.get(_EPOCHS)
    if edges is None or "Flux_History" not in catalogue.colnames:
        return None
    flux, error = (
        vectors(catalogue, name, "cm-2 s-1") for name in ("Flux_History", "Unc_Flux_History")
    )
    days = np.round(_MET_ZERO + np.asarray(edges, dtype=float) / _DAY, 3)
    pairs = days if days.ndim == 2 else np.stack([days[:-1], days[1:]], axis=1)
    return {
        "edges": pairs.tolist(),
        "points": _points(flux, error),
        "xlabel": "Time [MJD]",
        "unit": "cm⁻² s⁻¹",
    }


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
        for row, form in enumerate(texts_in(catalogue, "SpectrumType"))
    ]


def _curve(form: str, pivot: float, values: Sequence[float]) -> dict[str, Any] | None:
    if not values or not np.all(np.isfinite([pivot, *values])):
        return None
    density, index, curvature, exponent = map(float, values)
    return {
        "type": form, "pivot": float(pivot), "density": density, "index": index,
        "curvature": curvature, "exponent": exponent,
    }  # fmt: skip
