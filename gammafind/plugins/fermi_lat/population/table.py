"""Source tables of synthetic catalogues: columns of 4FGL, fluxes, positions, names."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.publish import source_names
from gammafind.catalogue.schema import DETECTIONS, Column
from gammafind.plugins.fermi_lat.catalogue_columns import FERMI_CATALOGUE
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.spectra import DIFFERENTIAL_FLUX

COLUMN_UNITS = {
    "Pivot_Energy": u.MeV,
    "PL_Flux_Density": DIFFERENTIAL_FLUX,
    "LP_Flux_Density": DIFFERENTIAL_FLUX,
    "PLEC_Flux_Density": DIFFERENTIAL_FLUX,
}
"""Units of the spectral columns; others have no unit."""

_OWN = (
    Column(
        "energy_flux", "erg cm-2 s-1", "phot.flux;em.gamma", "Energy flux, 1-100 GeV", dtype="f4"
    ),
    Column(
        "flux_history", "", "phot.flux;arith.ratio", "Flux in each year over its mean", dtype="f4"
    ),
)
_LABELS = {column.name: column for column in (*FERMI_CATALOGUE, *DETECTIONS, *_OWN)}
_LOW, _HIGH = 1 * u.GeV, 100 * u.GeV
"""Range of the listed fluxes."""
_POSITION_DIGITS = 6
"""Digits of degrees: far finer than position errors, see `source_table`."""
_PREFIX = "GFS"


def source_table(
    lon: np.ndarray,
    lat: np.ndarray,
    class_label: np.ndarray,
    spectra: dict[str, np.ndarray],
    history: np.ndarray,
) -> QTable:
    """Table of sources, brightest first.

    Spectral columns, energy flux and history are in single precision, positions are rounded to 1e-6
    deg. This is far finer than their errors, keeps files small and removes differences between
    mathematical libraries in the last digits. Fluxes follow from the rounded spectra.

    Parameters
    ----------
    lon, lat : ndarray, shape (n,)
        Galactic, in degrees.
    class_label : ndarray of str, shape (n,)
    spectra : dict of str to ndarray
        ``SpectrumType`` and the columns of the forms that occur, in the units of 4FGL.
    history : ndarray, shape (n, 10)
    """
    table = QTable({"SpectrumType": spectra["SpectrumType"]})
    for name, values in spectra.items():
        if name != "SpectrumType":
            single = np.asarray(values, dtype=np.float32)
            unit = COLUMN_UNITS.get(name)
            table[name] = single if unit is None else Quantity(single, unit, dtype=np.float32)
    listed = spectra_of(table)
    positions = SkyCoord(lon * u.deg, lat * u.deg, frame="galactic")
    table["name"] = source_names(positions, prefix=_PREFIX)
    table["ra"] = _rounded(positions.icrs.ra.deg) % 360 * u.deg
    table["dec"] = _rounded(positions.icrs.dec.deg) * u.deg
    table["glon"] = _rounded(lon) % 360 * u.deg
    table["glat"] = _rounded(lat) * u.deg
    table["class_label"] = class_label
    table["flux"] = listed.flux(_LOW, _HIGH).astype(np.float32).astype(float)
    table["energy_flux"] = listed.energy_flux(_LOW, _HIGH).astype(np.float32)
    table["flux_history"] = np.asarray(history, dtype=np.float32)
    return _labelled(table[np.argsort(-table["energy_flux"].value, kind="stable")])


def _labelled(table: QTable) -> QTable:
    """Add descriptions and UCDs for columns outside the schema of sources."""
    for name in table.colnames:
        if name in _LABELS:
            table[name].info.description = _LABELS[name].description
            table[name].info.meta = {"ucd": _LABELS[name].ucd}
    return table


def _rounded(degrees: np.ndarray) -> np.ndarray:
    return np.round(degrees, _POSITION_DIGITS)
