"""Layout of the FITS catalogues of the LAT: names of HDUs, units, and tables that stand next to it.

A catalogue has this layout if it has the names of the LAT; readers of 4FGL then read it. Columns
that these readers need and the catalogue lacks are added with a comment, by which they are left out
when gammafind reads the file.

References
----------
Columns and HDUs of gll_psc_v35.fit (4FGL-DR4) and gll_psc_v41.fit (FL16Y),
https://fermi.gsfc.nasa.gov/ssc/data/access/lat/14yr_catalog/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable, Table

from gammafind.catalogue.columns import numbers, texts_of
from gammafind.catalogue.schema import SCHEMA_VERSION
from gammafind.catalogue.spans import energy_spans, epoch_spans
from gammafind.units import ENERGY_FLUX, FLUX

MAIN, EXTENDED, BOUNDS, STARTS, GOOD_TIMES = (
    "LAT_Point_Source_Catalog",
    "ExtendedSources",
    "EnergyBounds",
    "Hist_Start",
    "GTI",
)
"""Names of the HDUs."""
FILLER = "Not measured: for readers of the catalogues of the LAT"
"""Comment of a column that is only there for other readers."""

NOTHING = "(no extended source)"
"""Name of the row of a table of extended sources that has none."""

FORM, FORM_WIDTH = "SpectrumType", 17
"""Column whose texts fermipy makes longer in place, and the width that it has there."""
PHOTONS = "photons are numbers in gammafind"
"""Comment of a unit that has photons only in the file."""

_NEEDED = ("Source_Name", "RAJ2000", "DEJ2000", "Signif_Avg")
_SPECTRA = ("SpectrumType", "PL_Flux_Density", "LP_Flux_Density", "PLEC_Flux_Density")
_ALIASES = (
    "Extended_Source_Name",
    "ASSOC_FGL",
    "ASSOC_FHL",
    "ASSOC_GAM1",
    "ASSOC_GAM2",
    "ASSOC_GAM3",
    "ASSOC_TEV",
    "CLASS1",
    "CLASS2",
    "ASSOC1",
    "ASSOC2",
)
"""Columns of text by which gammapy looks sources up, or which it prints."""
_DENSITY = u.Unit("cm-2 s-1 MeV-1")
_UNITS = {FLUX: "ph cm-2 s-1", _DENSITY: "ph cm-2 MeV-1 s-1", ENERGY_FLUX: "erg cm-2 s-1"}
"""Units as the files of the LAT spell them."""
_TIMES = {
    "TELESCOP": "GLAST",
    "INSTRUME": "LAT",
    "TIMEUNIT": "s",
    "TIMESYS": "TT",
    "MJDREFI": 51910,
    "MJDREFF": 7.428703703703703e-4,
}
"""Keywords of mission elapsed time: seconds since 2001-01-01 (UTC)."""
_FORMS = {"disc": "Disk", "ring": "Ring", "gaussian": "2D Gaussian", "map": "Map"}
_FUNCTIONS = {"Disk": "RadialDisk", "2D Gaussian": "RadialGauss", "Ring": "SpatialMap"}


def has_lat_layout(table: QTable) -> bool:
    """Whether a catalogue has the names of those of the LAT."""
    return set(_NEEDED) <= set(table.colnames)


def fillers(table: QTable) -> QTable:
    """Columns that readers of the LAT's catalogues need and a table lacks.

    A position error that is a radius is a circle: both semi-axes are the same.
    """
    n, made = len(table), QTable()
    for share in (68, 95):
        longer = f"Conf_{share}_SemiMajor"
        size = table[longer] if longer in table.colnames else np.full(n, np.nan) * u.deg
        made[longer], made[f"Conf_{share}_SemiMinor"] = size, size
        made[f"Conf_{share}_PosAng"] = np.zeros(n) * u.deg
    made["ROI_num"] = np.zeros(n, dtype=np.int16)
    made["Flags"] = np.zeros(n, dtype=np.int16)
    for name in _ALIASES:
        made[name] = np.full(n, "", dtype="U1")
    made.remove_columns([name for name in made.colnames if name in table.colnames])
    return made


def label_as_lat(hdu: fits.BinTableHDU, table: QTable) -> None:
    """Name an HDU, its photon units and its keywords as those of the LAT."""
    hdu.header["EXTNAME"] = MAIN  # As it is spelled there: setting the name changes the case.
    for number, name in enumerate(table.colnames, start=1):
        unit = getattr(table[name], "unit", None)
        spelled = next((text for one, text in _UNITS.items() if unit == one), None)
        if spelled:
            hdu.columns[name].unit = spelled
            if spelled.startswith("ph "):
                hdu.header.comments[f"TUNIT{number}"] = PHOTONS
    hdu.header["VERSION"] = (f"v{SCHEMA_VERSION}", "of the schema of gammafind")
    if set(_SPECTRA) <= set(table.colnames):
        hdu.header["CDS-NAME"] = ("4FGL", "columns are read as those of 4FGL-DR3")
    hdu.header.update(_TIMES)


def further_hdus(table: QTable) -> list[fits.BinTableHDU]:
    """Extended sources, bands, and epochs and their time where the metadata have them."""
    meta = table.meta
    made = [_extended(table), _bounds(meta)]
    spans = epoch_spans(meta)
    if len(spans):
        starts = np.append(spans[:, 0], spans[-1, 1])  # The last is the end, as there.
        made.append(_hdu(Table({"Hist_Start": starts * u.s}), STARTS, _TIMES))
        times = Table({"START": spans[:, 0] * u.s, "STOP": spans[:, 1] * u.s})
        made.append(_hdu(times, GOOD_TIMES, _TIMES))
    return made


def _hdu(table: Table, name: str, keywords: Mapping[str, Any]) -> fits.BinTableHDU:
    hdu = fits.table_to_hdu(table)
    hdu.header["EXTNAME"] = name
    hdu.header.update(keywords)
    return hdu


def _bounds(meta: Mapping[str, Any]) -> fits.BinTableHDU:
    edges = energy_spans(meta)
    columns = {"LowerEnergy": edges[:, 0] * u.MeV, "UpperEnergy": edges[:, 1] * u.MeV}
    return _hdu(Table(columns), BOUNDS, {})


def _extended(table: QTable) -> fits.BinTableHDU:
    """Shapes of the extended sources; where there are none, a row that is none of them."""
    rows = extended_rows(table)
    if not len(rows):
        return _hdu(_no_extended(), EXTENDED, {})
    chosen = table[rows]
    form = np.array([_FORMS.get(shape, "") for shape in shapes_of(chosen)], dtype="U11")
    radius = radii_of(chosen)
    ratio = np.nan_to_num(numbers(chosen, "extension_ratio"), nan=1.0)
    maps = texts_of(chosen, "extension_map")
    function = np.array([_FUNCTIONS.get(one, "SpatialMap") for one in form], dtype="U11")
    shapes = Table(
        {
            "Source_Name": np.asarray(texts_of(chosen, "Extended_Source_Name"), dtype="U64"),
            **{name: numbers(chosen, name, "deg") * u.deg for name in ("RAJ2000", "DEJ2000")},
            **{name: numbers(chosen, name, "deg") * u.deg for name in ("GLON", "GLAT")},
            "Model_Form": form,
            "Model_SemiMajor": radius * u.deg,
            "Model_SemiMinor": radius * ratio * u.deg,
            "Model_PosAng": np.nan_to_num(numbers(chosen, "extension_angle", "deg")) * u.deg,
            "Spatial_Function": function,
            "Spatial_Filename": np.asarray(maps, dtype=f"U{max(map(len, maps), default=1) or 1}"),
        }
    )
    return _hdu(shapes, EXTENDED, {})


def _no_extended() -> Table:
    """A row that no source refers to: fermipy cannot join a table without rows."""
    names = ("RAJ2000", "DEJ2000", "GLON", "GLAT")
    shape = tuple(f"Model_{name}" for name in ("SemiMajor", "SemiMinor", "PosAng"))
    texts = ("Model_Form", "Spatial_Function", "Spatial_Filename")
    numbers_of = {name: [np.nan] * u.deg for name in (*names, *shape)}
    return Table({"Source_Name": [NOTHING], **numbers_of, **{key: ["-"] for key in texts}})


def extended_rows(table: QTable) -> np.ndarray:
    """Rows of the extended sources that have a name of their own and a shape."""
    named = texts_of(table, "Extended_Source_Name") != ""
    return np.flatnonzero(named & (shapes_of(table) != "") & (radii_of(table) > 0))


def shapes_of(table: QTable) -> np.ndarray:
    """Shape of each source: that of the model, a Gaussian where one was measured, or empty."""
    given = texts_of(table, "extension_model").astype(object)
    measured = (given == "") & (numbers(table, "Extension", "deg") > 0)
    given[measured] = "gaussian"
    return given.astype(str)


def radii_of(table: QTable) -> np.ndarray:
    """Radius in degrees of each source, of a Gaussian that of 68 %; NaN of points."""
    given = numbers(table, "extension_radius", "deg")
    return np.where(np.isfinite(given), given, numbers(table, "Extension", "deg"))
