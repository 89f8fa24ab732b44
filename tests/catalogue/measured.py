"""A small catalogue with all measured columns."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.measured_columns import ENERGY_EDGES, EPOCH_SPANS, MEASURED
from gammafind.catalogue.schema import Column, conform, schema_record

SIZES = {"band": 3, "epoch": 2, "bound": 2}
_TYPES = ["PowerLaw", "LogParabola", "PLSuperExpCutoff", "PowerLaw"]
_TEXTS = {
    "SpectrumType": _TYPES,
    "CLASS1": ["bll", "", "PSR", "snr"],
    "ASSOC1": ["Mkn 421", "", "PSR J0835-4510", "IC 443"],
}
_NUMBERS = {
    "RAJ2000": [166.1, 10.0, 128.8, 94.3],
    "DEJ2000": [38.2, -20.0, -45.2, 22.5],
    "Conf_95_SemiMajor": [0.02, np.nan, 0.05, 0.03],
    "Conf_95_SemiMinor": [0.01, np.nan, 0.05, 0.02],
    "Conf_95_PosAng": [30.0, np.nan, 0.0, -60.0],
    "Pivot_Energy": [1200.0, 800.0, 1000.0, 2000.0],
    "PL_Flux_Density": [2e-12, 3e-13, 4e-11, 1e-12],
    "PL_Index": [1.8, 2.4, 2.2, 2.1],
    "LP_Flux_Density": [2.1e-12, 3.3e-13, 5e-11, 1.1e-12],
    "LP_Index": [1.75, 2.3, 2.0, 2.1],
    "LP_beta": [0.02, 0.2, 0.3, 0.01],
    "PLEC_Flux_Density": [2e-12, 3e-13, 5e-11, 1e-12],
    "PLEC_IndexS": [1.8, 2.3, 1.9, 2.1],
    "PLEC_ExpfactorS": [0.02, 0.2, 0.5, 0.1],
    "PLEC_Exp_Index": [0.67, 0.67, 0.6, 0.67],
    "Signif_Avg": [50.0, 4.5, 300.0, 20.0],
}


def measured_catalogue() -> QTable:
    """Four sources: a power law, a log-parabola, a cut-off, and an extended one."""
    rng = np.random.default_rng(1)
    table = QTable({"Source_Name": ["GF J1104.4+3812", "GF A", "GF J0835-45", "GF J0617"]})
    for column in MEASURED:
        table[column.name] = _values(column, rng)
    table["Unc_Flux_Band"][:, :, 0] *= -1
    table["Unc_Flux_History"][:, :, 0] *= -1
    table["Unc_Flux_Band"][1, 0, 0] = np.nan
    table["Sqrt_TS_Band"][:] = [[3, 4, 5], [0.2, 3, 4], [9, 9, 9], [1.5, 2, 3]]
    table["Extended_Source_Name"] = ["", "", "", "IC 443"]
    table["Extension"] = [0, 0, 0, 0.27] * u.deg
    table = conform(table, MEASURED, what="the catalogue")
    table.meta = {
        "schema": schema_record(),
        ENERGY_EDGES: [[100.0, 1000.0], [1000.0, 10000.0], [10000.0, 100000.0]],
        EPOCH_SPANS: [[239557417.0, 271093417.0], [271093417.0, 302629417.0]],
        "searched": "3/0-99 120",
        "creator": "gammafind 1.0",
        "date": "2026-01-01T00:00:00+00:00",
        "command": "gammafind detect counts.fits",
        "plugins": [{"role": "localiser", "name": "likelihood", "options": {"threshold": 25.0}}],
        "inputs": [{"name": "counts.fits", "sha256": "ab" * 32}],
        "software": {"numpy": "2.0"},
    }
    return table


def _values(column: Column, rng: np.random.Generator) -> object:
    if column.dtype == "U":
        return _TEXTS.get(column.name, ["", "", "", ""])
    if column.dtype == "i8":
        return np.array([0, 1, 16, 65536])
    if column.name in _NUMBERS:
        return _NUMBERS[column.name] * u.Unit(column.unit)
    shape = (4, *(SIZES[axis] for axis in column.axes))
    return rng.uniform(0.5, 2, shape) * 1e-9 * u.Unit(column.unit)
