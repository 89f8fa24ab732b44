"""A small catalogue like 4FGL, with errors and classes."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable

from gammafind.plugins.features.columns import N_BANDS, SCALARS


def toy_catalogue(n: int = 60, *, n_bands: int = N_BANDS, n_years: int = 10) -> QTable:
    """A BL Lac (hard), a quasar (soft), a pulsar (curved), a remnant (very soft), and so on."""
    rng = np.random.default_rng(4)
    kind = np.arange(n) % 4
    table = QTable({name: np.ones(n) for name in SCALARS})
    for name, unit in SCALARS.items():
        table[name].unit = unit or None
    table["RAJ2000"], table["DEJ2000"] = rng.uniform(0, 360, n), rng.uniform(-80, 80, n)
    index = np.array([1.9, 2.5, 2.2, 2.8])[kind] + 0.05 * rng.normal(size=n)
    table["PL_Index"], table["LP_Index"] = index, index - 0.1
    table["LP_beta"] = np.array([0.05, 0.1, 0.6, 0.3])[kind] + 0.02 * rng.normal(size=n)
    for name in ("PL_Index", "LP_Index", "LP_beta"):
        table[f"Unc_{name}"] = np.full(n, 0.05)
    table["Pivot_Energy"] = np.full(n, 1500.0)
    table["Energy_Flux100"], table["Flux1000"] = np.full(n, 5e-12), np.full(n, 4e-10)
    table["LP_SigCurv"] = np.array([1.0, 2.0, 9.0, 3.0])[kind]
    table["Signif_Avg"] = rng.uniform(10, 30, n)
    table["Variability_Index"] = rng.chisquare(n_years - 1, n)
    table["Flux_History"] = rng.uniform(1, 2, (n, n_years)) * 1e-8
    flux = 1e-9 * 0.3 ** np.arange(n_bands) * rng.uniform(0.8, 1.2, (n, n_bands))
    table["Flux_Band"] = flux
    table["Unc_Flux_Band"] = np.stack([-flux, flux], axis=2) / 5
    table["Sqrt_TS_Band"] = np.full((n, n_bands), 5.0)
    table["CLASS1"] = np.array(["bll", "FSRQ", "PSR", "SNR"])[kind]
    table["CLASS1"][-6:] = ["", "", "", "unk", "bcu", "bcu"]
    return table
