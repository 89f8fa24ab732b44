"""What the classifier looks at: numbers that depend little on exposure and release.

Indices, curvature, hardness ratios, variability and position of each source. What is measured less
well with less exposure is divided by the significance of the source or scaled to ten years.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gammafind.plugins.features.columns import BAND_EDGES, N_BANDS, PER_BAND, SCALARS, Columns

YEARS = 10
"""Length of the catalogue of the training; its intervals are years."""
_LEAST_BETA = 0.01
"""A smaller curvature has no peak within the energies of the LAT."""
_LOG_MEV = (1.0, 7.0)
"""Limits of the logarithm of the peak energy in MeV, 10 MeV to 10 TeV."""
_INDEX_AT = {"index_300MeV": 300.0, "index_1GeV": 1e3, "index_10GeV": 1e4}
"""Energies (MeV) of the local photon index of the log-parabola."""
_COLOURS = (*pairwise(range(N_BANDS)), (1, 3), (2, 4), (3, 5), (2, 5), (1, 4))
"""Pairs of bands of the hardness ratios: neighbours, and wider ones within 0.1-30 GeV."""


def measures_of(columns: Columns) -> dict[str, np.ndarray]:
    """Quantities of each source by name, shape (n,); NaN where they are not known.

    Parameters
    ----------
    columns : dict of str to ndarray
        From `gammafind.plugins.features.columns.columns_of`, n sources.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = {
            **_spectrum(columns),
            **_curvature(columns),
            **_variability(columns),
            **_hardness(columns),
            **_place(columns),
        }
    return {name: np.where(np.isfinite(values), values, np.nan) for name, values in found.items()}


def matrix_of(columns: Columns) -> np.ndarray:
    """Measures of each source, shape (n, n_measures), in the order of `NAMES`."""
    return np.column_stack(list(measures_of(columns).values()))


def _log(values: np.ndarray) -> np.ndarray:
    return np.log10(np.where(values > 0, values, np.nan))


def _spectrum(c: Columns) -> dict[str, np.ndarray]:
    """Photon indices and fluxes, none of them at the pivot energy, which depends on exposure."""
    alpha, beta, pivot = c["LP_Index"], c["LP_beta"], c["Pivot_Energy"]
    peak = _log(pivot) + (2 - alpha) / (2 * np.maximum(beta, _LEAST_BETA)) / np.log(10)
    return {
        "PL_Index": c["PL_Index"],
        "LP_beta": beta,
        **{name: alpha + 2 * beta * np.log(at / pivot) for name, at in _INDEX_AT.items()},
        "log_peak_energy": np.clip(peak, *_LOG_MEV),
        "log_energy_flux": _log(c["Energy_Flux100"]),
        "log_flux_1GeV": _log(c["Flux1000"]),
    }


def _curvature(c: Columns) -> dict[str, np.ndarray]:
    """Significance of the curvature, in ten years and as a share of that of the source."""
    intervals = np.where(np.isfinite(c["n_intervals"]), c["n_intervals"], YEARS)
    scale = np.sqrt(YEARS / intervals)
    return {
        "log_parabola_sigma": c["LP_SigCurv"] * scale,
        "cutoff_sigma": c["PLEC_SigCurv"] * scale,
        "curvature_share": c["LP_SigCurv"] / c["Signif_Avg"],
    }


def _variability(c: Columns) -> dict[str, np.ndarray]:
    """Variability index a degree of freedom, and the scatter that it stands for.

    A steady source has chi-square with n - 1 degrees of freedom in n intervals. The relative error
    of an interval is about sqrt(n) over the significance of the source.
    """
    n = c["n_intervals"]
    ratio = c["Variability_Index"] / (n - 1)
    excess = ratio - 1
    return {
        "log_variability": _log(np.maximum(ratio, 1e-3)),
        "scatter": np.sign(excess) * np.sqrt(np.abs(excess) * n) / c["Signif_Avg"],
    }


def _hardness(c: Columns) -> dict[str, np.ndarray]:
    """Hardness ratios of energy fluxes of two bands, and shares of the significance."""
    energy_flux = c["Flux_Band"] * np.sqrt(BAND_EDGES[:-1] * BAND_EDGES[1:])
    ratios = {
        f"hardness_{low}_{high}": (energy_flux[:, high] - energy_flux[:, low])
        / (energy_flux[:, high] + energy_flux[:, low])
        for low, high in _COLOURS
    }
    shares = c["Sqrt_TS_Band"] / c["Signif_Avg"][:, None]
    return {**ratios, **{f"share_{band}": shares[:, band] for band in range(N_BANDS)}}


def _place(c: Columns) -> dict[str, np.ndarray]:
    """Latitude, and distance from the Galactic centre."""
    b, longitude = np.radians(c["glat"]), np.radians(c["glon"])
    return {
        "abs_b": np.abs(c["glat"]),
        "sin_b": np.sin(b),
        "from_centre": np.degrees(np.arccos(np.cos(b) * np.cos(longitude))),
    }


_ONE = {
    **{name: np.ones(1) for name in (*SCALARS, "glon", "glat", "n_intervals")},
    **{name: np.ones((1, N_BANDS)) for name in PER_BAND},
}
NAMES = tuple(measures_of(_ONE))
"""Measures in the order of the columns of `matrix_of`."""
