"""Flux points of each source in the format ``gadf-sed``: ``gammapy.estimators.FluxPoints.read``.

References
----------
https://gamma-astro-data-formats.readthedocs.io/en/latest/spectra/flux_points/
"""

from __future__ import annotations

import re
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable, Table

from gammafind.catalogue.columns import texts_of, vectors
from gammafind.catalogue.formats.source_models import check_names
from gammafind.catalogue.measured_columns import ENERGY_EDGES
from gammafind.catalogue.spans import check_spans, energy_spans
from gammafind.errors import TableError

_FLUX = u.Unit("cm-2 s-1")
_ENERGY_FLUX = u.Unit("erg cm-2 s-1")
_UNSAFE = re.compile(r"[^A-Za-z0-9.+-]+")
"""What does not belong in the name of a file."""
_FAINT = 1.0
"""TS below which a limit is meant, as in 4FGL."""


def write_flux_points(table: QTable, folder: Path) -> None:
    """Write a FITS file with the flux points of each source into a folder.

    Parameters
    ----------
    table : QTable
        With ``Flux_Band``, ``Unc_Flux_Band`` and ``Sqrt_TS_Band``, and the edges of the bands in
        the metadata.
    folder : Path
        Made if it does not exist.

    Raises
    ------
    TableError
        If there are no fluxes of bands, or two sources have one name.
    """
    missing = [name for name in ("Flux_Band", "Unc_Flux_Band") if name not in table.colnames]
    if missing or not table.meta.get(ENERGY_EDGES):
        lacks = ", ".join(missing) or f"{ENERGY_EDGES} in its metadata"
        raise TableError(
            f"the catalogue has no fluxes of bands: it lacks {lacks}",
            remedy="Measure its sources first (gammafind measure).",
        )
    names = texts_of(table, "source_name")
    check_names(names)
    files = [file_name(name) for name in names.tolist()]
    check_names(np.array(files))
    folder.mkdir(exist_ok=True)
    for row, (name, file) in enumerate(zip(names.tolist(), files, strict=True)):
        hdu = fits.table_to_hdu(flux_points(table, row))
        hdu.name = "FLUXPOINTS"
        hdu.header["OBJECT"] = name
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(folder / file)


def file_name(source: str) -> str:
    """Name of the file of a source: its own, without blanks and marks."""
    return f"{_UNSAFE.sub('_', source).strip('_')}.fits" if source else ""


def flux_points(table: QTable, row: int) -> Table:
    """Flux points of one source: a row a band, in the order of energy.

    Parameters
    ----------
    table : QTable
        As for `write_flux_points`.
    row : int

    Returns
    -------
    Table
        ``e_min``, ``e_max``, ``e_ref``, ``flux`` with errors below and above, ``flux_ul`` (95 %),
        ``e2dnde`` and ``sqrt_ts``, as far as the catalogue has them.
    """
    edges = energy_spans(table.meta)
    one = table[row : row + 1]
    flux = _values(one, edges, "Flux_Band", _FLUX)
    below, above = np.moveaxis(_values(one, edges, "Unc_Flux_Band", _FLUX, 2), -1, 0)
    points = Table(
        {
            "e_ref": np.sqrt(edges[:, 0] * edges[:, 1]) * u.MeV,
            "e_min": edges[:, 0] * u.MeV,
            "e_max": edges[:, 1] * u.MeV,
            "flux": flux * _FLUX,
            "flux_errn": np.abs(below) * _FLUX,
            "flux_errp": above * _FLUX,
            "flux_err": np.where(np.isfinite(below), (np.abs(below) + above) / 2, above) * _FLUX,
        }
    )
    limit = flux + 2 * above
    if "Flux_UL_Band" in table.colnames:
        stated = _values(one, edges, "Flux_UL_Band", _FLUX)
        limit = np.where(np.isfinite(stated), stated, limit)
    if "Sqrt_TS_Band" in table.colnames:
        points["sqrt_ts"] = _values(one, edges, "Sqrt_TS_Band", "")
        faint = ~(points["sqrt_ts"] ** 2 >= _FAINT)
    else:
        faint = ~np.isfinite(below)
    points["flux_ul"] = np.where(faint, limit, np.nan) * _FLUX
    points["is_ul"] = faint
    if "nuFnu_Band" in table.colnames:
        points["e2dnde"] = _values(one, edges, "nuFnu_Band", _ENERGY_FLUX) * _ENERGY_FLUX
    points.meta = {"SED_TYPE": "flux", "UL_CONF": 0.95, "N_SIGMA": 1.0, "NSIGMAUL": 2.0}
    return points


def _values(
    one: QTable, edges: np.ndarray, name: str, unit: u.UnitBase | str, *more: int
) -> np.ndarray:
    """Numbers of the bands of a table of one row, shape (n_bands, ...)."""
    return check_spans(vectors(one, name, unit), edges, name, *more)[0]
