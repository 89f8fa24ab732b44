"""The 4FGL catalogues, DR1 to DR4, and FL16Y in one schema."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable

from gammafind.catalogue.schema import Column, conform
from gammafind.errors import FileFormatError, InputDataError, OptionError, TableError
from gammafind.plugins.fermi_lat.catalogue_columns import ALIASES, FERMI_CATALOGUE
from gammafind.plugins.fermi_lat.catalogue_extensions import extension_columns
from gammafind.plugins.fermi_lat.spectra import DIFFERENTIAL_FLUX, SPECTRUM_TYPES, SourceSpectra
from gammafind.sky.fits.opening import open_fits
from gammafind.units import as_value

_WHAT = (
    "a 4FGL catalogue, DR1 to DR4 or FL16Y (gll_psc_v16.fit to gll_psc_v41.fit, compressed or not)"
)
_EXTENSION = "LAT_Point_Source_Catalog"
_FIRST_VERSIONS = {16: "4FGL-DR1", 23: "4FGL-DR2", 28: "4FGL-DR3", 32: "4FGL-DR4", 36: "4FGL"}

CLASS_GROUPS = {
    "bll": "BLL",
    "fsrq": "FSRQ",
    "psr": "PSR",
    "msp": "PSR",
    "pwn": "PWN+SNR",
    "snr": "PWN+SNR",
    "spp": "PWN+SNR",
    "bcu": "BCU",
    "unk": "UNASSOCIATED",
    "": "UNASSOCIATED",
}
"""Group of each CLASS1 in lower case; all others are ``OTHER``."""

_COLUMNS_OF = {
    "PowerLaw": ("PL_Flux_Density", "PL_Index"),
    "LogParabola": ("LP_Flux_Density", "LP_Index", "LP_beta"),
    "PLSuperExpCutoff": ("PLEC_Flux_Density", "PLEC_Index", "PLEC_Expfactor", "PLEC_Exp_Index"),
    "PLSuperExpCutoff4": ("PLEC_Flux_Density", "PLEC_IndexS", "PLEC_ExpfactorS", "PLEC_Exp_Index"),
}


def read_fermi_catalogue(path: str | PathLike) -> QTable:
    """Read a 4FGL catalogue file of any release.

    The columns are those of `FERMI_CATALOGUE`, with the names of DR2. The power law with cut-off is
    given in both parametrisations, that of DR1 and DR2 (``PLEC_Index``, ``PLEC_Expfactor``) and
    that of DR3 and DR4 (``PLEC_IndexS``, ``PLEC_ExpfactorS``); they can be converted exactly.
    ``SpectrumType`` is ``PLSuperExpCutoff4`` if the file has the latter. Missing columns of a
    release are NaN, 0 or empty text. The columns ``extension_*`` come from the table
    ``ExtendedSources``; without it, all sources are points.

    Parameters
    ----------
    path : path-like
        FITS, gzipped or not.

    Returns
    -------
    QTable
        One row per source, with units and UCDs; ``meta`` has ``release`` and ``version``.

    Raises
    ------
    MissingFileError, TruncatedFileError
        If there is no such file, or it is incomplete.
    FileFormatError
        If it is not a 4FGL catalogue, or lacks a column that all releases have.
    InputDataError
        If a position is not finite.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, table 12; Abdollahi et al. 2022, ApJS 260, 53.
    """
    path = Path(path)
    with open_fits(path, what=_WHAT) as file:
        hdu = _catalogue_hdu(file, path)
        raw = {name: _native(hdu.data[name]) for name in _wanted(hdu)}
        if "Extended_Source_Name" in raw:
            raw |= extension_columns(file, raw["Extended_Source_Name"])
        meta = release_of(hdu.header, hdu.data["Source_Name"])
    raw = {ALIASES.get(name, name): values for name, values in raw.items()}
    _check(raw, path)
    _complete_cutoff(raw)
    n_rows = len(raw["Source_Name"])
    table = QTable(meta=meta)
    for column in FERMI_CATALOGUE:
        values = raw.get(column.name, _missing(column, n_rows))
        table[column.name] = values * u.Unit(column.unit) if column.unit else values
    return conform(table, FERMI_CATALOGUE, what=path.name)


def spectra_of(table: QTable) -> SourceSpectra:
    """Spectra of the sources of a catalogue, each in the form of its ``SpectrumType``.

    Parameters
    ----------
    table : QTable
        From `read_fermi_catalogue`, rows of it, or another table with ``SpectrumType``,
        ``Pivot_Energy`` and the columns of the forms in use.

    Returns
    -------
    SourceSpectra

    Raises
    ------
    TableError
        If a column is missing, or its unit cannot be converted.
    """
    _require(table, {"SpectrumType", "Pivot_Energy"})
    kind = np.asarray(table["SpectrumType"])
    occurring = {name: columns for name, columns in _COLUMNS_OF.items() if np.any(kind == name)}
    _require(table, {name for columns in occurring.values() for name in columns})
    parameters = np.zeros((4, len(table)))
    for name, columns in occurring.items():
        rows = kind == name
        for parameter, column in zip(parameters, columns, strict=False):
            unit = DIFFERENTIAL_FLUX if column == columns[0] else None
            parameter[rows] = _value(table, column, unit)[rows]
    amplitude, index, curvature, exp_index = parameters
    return SourceSpectra(
        kind=kind,
        amplitude=amplitude * DIFFERENTIAL_FLUX,
        pivot=_value(table, "Pivot_Energy", u.MeV) * u.MeV,
        index=index,
        curvature=curvature,
        exp_index=exp_index,
    )


def class_group(classes: Sequence[str]) -> np.ndarray:
    """Group the classes of a catalogue.

    Parameters
    ----------
    classes : sequence of str
        ``CLASS1``; upper case (firm identifications) and lower case are equivalent.

    Returns
    -------
    ndarray of str
        ``BLL``, ``FSRQ``, ``PSR`` (with millisecond pulsars), ``PWN+SNR`` (with ``spp``),
        ``BCU``, ``UNASSOCIATED`` (with ``unk``, whose counterpart has no known nature) or
        ``OTHER``.
    """
    return np.array([CLASS_GROUPS.get(name.strip().casefold(), "OTHER") for name in classes])


def release_of(header: fits.Header, names: Sequence[str]) -> dict[str, str]:
    """Which catalogue a table is.

    Parameters
    ----------
    header : Header
        Of the table; ``VERSION`` says the release of 4FGL.
    names : sequence of str
        Names of the sources, which begin with that of the catalogue.

    Returns
    -------
    dict of str to str
        ``release``, such as 4FGL-DR3 or FL16Y, and ``version``.
    """
    version = str(header.get("VERSION", "")).strip()
    prefix = str(names[0]).split(" ")[0] if len(names) else ""
    if prefix and prefix != "4FGL":
        return {"release": prefix, "version": version}
    number = int(version[1:]) if version[:1] == "v" and version[1:].isdigit() else 0
    releases = [name for first, name in _FIRST_VERSIONS.items() if first <= number]
    return {"release": releases[-1] if releases else "4FGL", "version": version}


def _catalogue_hdu(file: fits.HDUList, path: Path) -> fits.BinTableHDU:
    for hdu in file:
        if isinstance(hdu, fits.BinTableHDU) and (
            hdu.name == _EXTENSION.upper() or {"Source_Name", "Flux1000"} <= set(hdu.columns.names)
        ):
            return hdu
    raise FileFormatError(
        f"no table {_EXTENSION}; the file has {', '.join(hdu.name or '-' for hdu in file)}",
        path=path,
        remedy=f"Accepted is {_WHAT}.",
    )


def _wanted(hdu: fits.BinTableHDU) -> list[str]:
    schema = {column.name for column in FERMI_CATALOGUE}
    present = set(hdu.columns.names)
    return [
        name
        for name in hdu.columns.names
        if name in schema or (name in ALIASES and ALIASES[name] not in present)
    ]


def _native(column: np.ndarray) -> np.ndarray:
    if column.dtype.kind in "US":
        return np.char.strip(np.asarray(column, dtype=str))
    return np.asarray(column, dtype=int if column.dtype.kind in "iu" else float)


def _check(raw: dict[str, np.ndarray], path: Path) -> None:
    missing = [c.name for c in FERMI_CATALOGUE if c.required and c.name not in raw]
    if not ({"PLEC_Index", "PLEC_Expfactor"} <= set(raw)) and not (
        {"PLEC_IndexS", "PLEC_ExpfactorS"} <= set(raw)
    ):
        missing.append("PLEC_Index and PLEC_Expfactor (or PLEC_IndexS and PLEC_ExpfactorS)")
    if missing:
        raise FileFormatError(
            f"the catalogue lacks the column {', '.join(missing)}",
            path=path,
            remedy=f"Accepted is {_WHAT}.",
        )
    if not all(np.all(np.isfinite(raw[name])) for name in ("RAJ2000", "DEJ2000", "GLON", "GLAT")):
        raise InputDataError("a position is not finite", path=path)
    unknown = sorted(
        {kind for kind in raw["SpectrumType"] if _form(kind, raw) not in SPECTRUM_TYPES}
    )
    if unknown:
        raise FileFormatError(
            f"unknown SpectrumType {', '.join(map(repr, unknown))}",
            path=path,
            remedy=f"Known are {', '.join(SPECTRUM_TYPES)}.",
        )


def _form(kind: str, raw: dict[str, np.ndarray]) -> str:
    if not kind.startswith("PLSuperExpCutoff"):
        return kind
    return "PLSuperExpCutoff" if "PLEC_Expfactor" in raw else "PLSuperExpCutoff4"


def _complete_cutoff(raw: dict[str, np.ndarray]) -> None:
    """Add the parametrisation of the cut-off that is missing in the file."""
    raw["SpectrumType"] = np.array([_form(kind, raw) for kind in raw["SpectrumType"]], dtype=str)
    b = raw["PLEC_Exp_Index"]
    scale = raw["Pivot_Energy"] ** b
    if "PLEC_Expfactor" in raw:
        slope = b * raw["PLEC_Expfactor"] * scale
        raw["PLEC_IndexS"] = raw["PLEC_Index"] + slope
        raw["PLEC_ExpfactorS"] = b * slope
        return
    # Without an exponent the DR3 form is a log-parabola, which the DR1 form cannot express.
    slope = np.divide(raw["PLEC_ExpfactorS"], b, out=np.full(b.shape, np.nan), where=b != 0)
    raw["PLEC_Index"] = raw["PLEC_IndexS"] - slope
    raw["PLEC_Expfactor"] = np.divide(slope, b * scale, out=np.full(b.shape, np.nan), where=b != 0)


def _missing(column: Column, n_rows: int) -> np.ndarray:
    if column.dtype == "U":
        return np.full(n_rows, "")
    return np.zeros(n_rows, int) if column.dtype == "i8" else np.full(n_rows, np.nan)


def _require(table: QTable, names: set[str]) -> None:
    missing = sorted(names - set(table.colnames))
    if missing:
        raise TableError(f"the catalogue lacks the column {', '.join(missing)}")


def _value(table: QTable, name: str, unit: u.UnitBase | None) -> np.ndarray:
    column = table[name]
    if unit is None:
        return np.asarray(getattr(column, "value", column), dtype=float)
    try:
        return np.asarray(as_value(column, unit, name=f"the column {name}"), dtype=float)
    except OptionError as error:
        raise TableError(error.fault, remedy=error.remedy) from None
