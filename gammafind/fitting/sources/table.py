"""The measured values of many sources as columns with units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.flags import Flag
from gammafind.catalogue.positions import sky_columns
from gammafind.sky.projection import positions_of

_FLUX, _DENSITY, _ENERGY_FLUX = "cm-2 s-1", "cm-2 s-1 MeV-1", "erg cm-2 s-1"
_ANGLES = ("Conf_68_SemiMajor", "Conf_68_SemiMinor", "Conf_95_SemiMajor", "Conf_95_SemiMinor")
_UNITS = {
    **dict.fromkeys(_ANGLES, "deg"),
    "Signif_Avg": "",
    "Npred": "",
    "Pivot_Energy": "MeV",
    **dict.fromkeys(
        ("Flux1000", "Unc_Flux1000", "Unc_Flux1000_Below", "Unc_Flux1000_Above"), _FLUX
    ),
    **dict.fromkeys(("Flux", "Unc_Flux"), _FLUX),
    **dict.fromkeys(("Energy_Flux100", "Unc_Energy_Flux100"), _ENERGY_FLUX),
    **dict.fromkeys(("Energy_Flux", "Unc_Energy_Flux"), _ENERGY_FLUX),
    "PL_Flux_Density": _DENSITY,
    "Unc_PL_Flux_Density": _DENSITY,
    "PL_Index": "",
    "Unc_PL_Index": "",
    "LP_Flux_Density": _DENSITY,
    "Unc_LP_Flux_Density": _DENSITY,
    **dict.fromkeys(("LP_Index", "Unc_LP_Index", "LP_beta", "Unc_LP_beta", "LP_SigCurv"), ""),
    "LP_EPeak": "MeV",
    "Unc_LP_EPeak": "MeV",
    "PLEC_Flux_Density": _DENSITY,
    "Unc_PLEC_Flux_Density": _DENSITY,
    **dict.fromkeys(("PLEC_IndexS", "Unc_PLEC_IndexS", "PLEC_ExpfactorS"), ""),
    **dict.fromkeys(("Unc_PLEC_ExpfactorS", "PLEC_Exp_Index", "Unc_PLEC_Exp_Index"), ""),
    "PLEC_SigCurv": "",
    "PLEC_EPeak": "MeV",
    "Unc_PLEC_EPeak": "MeV",
}
"""Units of columns of single numbers."""
_BAND_UNITS = {
    "Flux_Band": _FLUX,
    "Unc_Flux_Band": _FLUX,
    "Flux_UL_Band": _FLUX,
    "nuFnu_Band": _ENERGY_FLUX,
    "Sqrt_TS_Band": "",
}
"""Units of columns of one number a band, or two."""


def measured_table(
    rows: Sequence[Mapping[str, Any]], given: np.ndarray, frame: str, n_energies: int
) -> QTable:
    """Columns of measured sources.

    Parameters
    ----------
    rows : sequence of mapping
        Of `gammafind.fitting.sources.measure.measure_source`; empty where nothing was measured.
    given : ndarray, shape (n, 3)
        Positions that were given, as unit vectors in a frame.
    frame : str
    n_energies : int
        Bands of energies.

    Returns
    -------
    QTable
        NaN where there is no value; positions without a fit are those that were given.
    """
    vectors = np.array([row.get("vector", at) for row, at in zip(rows, given, strict=True)])
    along = np.array([row.get("along", at) for row, at in zip(rows, given, strict=True)])
    vectors, along = vectors.reshape(-1, 3), along.reshape(-1, 3)
    here = positions_of(vectors, frame)
    places = {name: angle.to_value(u.deg) for name, angle in sky_columns(here).items()}
    angle = here.icrs.position_angle(positions_of(along, frame).icrs).to_value(u.deg)
    angle = np.where([("along" in row) for row in rows], (angle + 90) % 180 - 90, np.nan)
    offset = np.degrees(2 * np.arcsin(np.minimum(np.linalg.norm(vectors - given, axis=1) / 2, 1)))
    table = QTable(
        {
            "RAJ2000": places["ra"] * u.deg,
            "DEJ2000": places["dec"] * u.deg,
            "GLON": places["glon"] * u.deg,
            "GLAT": places["glat"] * u.deg,
        }
    )
    for share in (68, 95):
        for axis in ("SemiMajor", "SemiMinor"):
            name = f"Conf_{share}_{axis}"
            table[name] = _numbers(rows, name, ()) * u.deg
        table[f"Conf_{share}_PosAng"] = angle * u.deg
    table["Offset"] = offset * u.deg
    for name, unit in _UNITS.items():
        if name not in table.colnames:
            values = _numbers(rows, name, ())
            table[name] = values * u.Unit(unit) if unit else values
    kinds = np.array([row.get("SpectrumType", "") for row in rows], dtype="U16")
    table.add_column(kinds, name="SpectrumType", index=table.colnames.index("PL_Flux_Density"))
    for name, unit in _BAND_UNITS.items():
        shape = (n_energies, 2) if name.startswith("Unc") else (n_energies,)
        values = _numbers(rows, name, shape)
        table[name] = values * u.Unit(unit) if unit else values
    nothing = int(Flag.NOT_MEASURED)
    table["Flags"] = np.array([row.get("flags", nothing) for row in rows], dtype=np.int64)
    return table


def _numbers(rows: Sequence[Mapping[str, Any]], name: str, shape: tuple[int, ...]) -> np.ndarray:
    none = np.full(shape, np.nan)
    found = [row.get(name, none) for row in rows]
    return np.array(found, dtype=float).reshape(len(rows), *shape)
