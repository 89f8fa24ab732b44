"""Reference catalogues of the LAT, by name or from their official files, with the same columns."""

from __future__ import annotations

from functools import partial
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable

from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.schema import conform
from gammafind.plugins.fermi_lat.catalogue_columns import REFERENCE_COLUMNS
from gammafind.plugins.fermi_lat.catalogue_extensions import extension_columns
from gammafind.plugins.fermi_lat.catalogues import release_of
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2, reference_path
from gammafind.plugins.fermi_lat.planes import from_planes
from gammafind.sky.fits.opening import open_fits
from gammafind.units import parsed_unit, without_photons

_FLUX_BANDS = {"Flux1000": "1-100 GeV", "Flux50": "50-2000 GeV", "Flux": "10-1000 GeV"}
"""Energies of the photon flux that a catalogue lists, by its column; the first counts."""
_PREFIXES = ("4FGL ", "FL16Y ", "3FHL ", "2FHL ")
"""How names of sources begin in the catalogues that are described here."""


def load_reference(name: str) -> QTable:
    """Load an embedded reference catalogue.

    Parameters
    ----------
    name : str
        A key of `REFERENCES` other than 4fgl-dr2, such as ``"fl16y"``.

    Returns
    -------
    QTable
        A new copy for each call: names, positions, 95 % errors, significance, photon flux, class,
        association and shape of all sources, as `described` returns them.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33 (DR1); 2022, ApJS 260, 53 (DR3); Ballet et al. 2023,
    arXiv:2307.12546 (DR4); Ballet et al. 2026, arXiv:2602.22148 (FL16Y); Ackermann et al. 2016,
    ApJS 222, 5 (2FHL); Ajello et al. 2017, ApJS 232, 18 (3FHL).
    """
    with fits.open(reference_path(name)) as file:
        packed = file["REFERENCE"]
        table = QTable()
        for column, values in from_planes(packed).items():
            unit = packed.columns[column].unit
            table[column] = values * without_photons(parsed_unit(unit)) if unit else values
        return described(table, file, packed.header)


def _load_dr2() -> QTable:
    """4FGL-DR2 with its spectra."""
    table = load_4fgl_dr2()
    table.meta["flux_band"] = _FLUX_BANDS["Flux1000"]
    return table


def described(table: QTable, file: fits.HDUList, header: fits.Header) -> QTable:
    """Give a catalogue of the LAT the columns that all of them share here.

    Parameters
    ----------
    table : QTable
        Its sources, with the column names of the official file.
    file : HDUList
        With the table of extended sources, if there is one.
    header : Header
        Of the table of sources.

    Returns
    -------
    QTable
        Those of `REFERENCE_COLUMNS` that it has, then all others. ``Extended_Source_Name`` is
        empty for point sources only, and the columns ``extension_*`` hold the shapes. ``meta`` has
        ``release``, ``version`` and ``flux_band``, the energies of its photon flux.
    """
    table = QTable(table, copy=True)
    names = np.char.strip(np.asarray(table["Source_Name"], dtype=str))
    if "Extended_Source_Name" in table.colnames:
        of_shape = np.char.strip(np.asarray(table["Extended_Source_Name"], dtype=str))
    else:
        # In 2FHL the table of extended sources has the names of the catalogue.
        of_shape = np.where(np.char.endswith(names, "e"), names, "")
        table["Extended_Source_Name"] = np.where(of_shape != "", table["ASSOC"], "")
    for name, values in extension_columns(file, of_shape).items():
        angle = name in ("extension_radius", "extension_inner", "extension_angle")
        table[name] = values * u.deg if angle else values
    if "GLON" not in table.colnames:
        galactic = sky_positions(table).galactic
        table["GLON"], table["GLAT"] = galactic.l, galactic.b
    table.meta |= release_of(header, names)
    bands = [band for column, band in _FLUX_BANDS.items() if column in table.colnames]
    if bands:
        table.meta["flux_band"] = bands[0]
    return conform(table, REFERENCE_COLUMNS, what="the catalogue")


def describe_file(table: QTable, path: str | PathLike) -> QTable:
    """Describe the table of a file if it is an official catalogue; else return it as it is."""
    known = {"Source_Name", "RAJ2000", "DEJ2000"} <= set(table.colnames)
    is_fits = Path(path).name.lower().removesuffix(".gz").endswith((".fit", ".fits"))
    if not (known and is_fits and len(table) and table["Source_Name"].dtype.kind == "U"):
        return table
    if not str(table["Source_Name"][0]).startswith(_PREFIXES):
        return table
    has_shape = "Extended_Source_Name" in table.colnames
    if not (has_shape or "ASSOC" in table.colnames):
        return table
    with open_fits(path) as file:
        return described(table, file, _header(file, len(table)))


def _header(file: fits.HDUList, n_rows: int) -> fits.Header:
    """Header of the table with this many rows; an empty one if there is none."""
    tables = (hdu for hdu in file if isinstance(hdu, fits.BinTableHDU))
    return next((hdu.header for hdu in tables if hdu.header["NAXIS2"] == n_rows), fits.Header())


REFERENCES = {
    "4fgl-dr1": partial(load_reference, "4fgl-dr1"),
    "4fgl-dr2": _load_dr2,
    "4fgl-dr3": partial(load_reference, "4fgl-dr3"),
    "4fgl-dr4": partial(load_reference, "4fgl-dr4"),
    "fl16y": partial(load_reference, "fl16y"),
    "2fhl": partial(load_reference, "2fhl"),
    "3fhl": partial(load_reference, "3fhl"),
}
"""As `gammafind.roles.instrument.Instrument.catalogues`."""
