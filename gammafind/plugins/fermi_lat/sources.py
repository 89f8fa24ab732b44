"""A 4FGL catalogue as a table of true sources, in the format of populations."""

from __future__ import annotations

from os import PathLike, fspath

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.io import read_table
from gammafind.catalogue.schema import SOURCES, conform
from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.catalogues import (
    class_group,
    read_fermi_catalogue,
    spectra_of,
)
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.references import REFERENCES
from gammafind.plugins.fermi_lat.spectra import photon_flux, power_law
from gammafind.roles.official import official_file
from gammafind.utils.data_folder import located

EMBEDDED = "4fgl-dr2"
"""Name of the catalogue that comes with the package."""


def read_fermi_sources(source: str | PathLike) -> QTable | None:
    """Read a 4FGL catalogue as a table of true sources.

    Parameters
    ----------
    source : path-like
        The official file of a release, a table of gammafind with its columns, or `EMBEDDED`.

    Returns
    -------
    QTable or None
        As from `true_sources`; None if the table has another kind.

    Raises
    ------
    OptionError
        If it is the name of another embedded catalogue, which has no spectra.
    InputFileError
        If the file cannot be used.
    """
    name = fspath(source).lower()
    if name == EMBEDDED:
        return true_sources(load_4fgl_dr2())
    source = located(source)
    if name in REFERENCES and not source.exists():
        official = official_file(name)
        with_spectra = official is not None and official.name.startswith("gll_psc_")
        raise OptionError(
            f"{name} comes without spectra, so it is a reference but no sky",
            remedy=f"Give {EMBEDDED}{f', or {official.name} by its path' if with_spectra else ''}.",
        )
    table = read_table(source)
    if not {"Source_Name", "Flux1000"} <= set(table.colnames):
        return None
    if fspath(source).lower().removesuffix(".gz").endswith((".fits", ".fit")):
        table = read_fermi_catalogue(source)
    return true_sources(table)


def true_sources(catalogue: QTable) -> QTable:
    """Convert a catalogue to a table of true sources.

    Parameters
    ----------
    catalogue : QTable
        From `~gammafind.plugins.fermi_lat.catalogues.read_fermi_catalogue`.

    Returns
    -------
    QTable
        Schema SOURCES with ``energy_flux``, ``glon``, ``glat``, ``flux_history`` and all columns of
        the catalogue. ``flux`` is ``Flux1000``; a year without a flux gets the mean flux. Extended
        sources have their shapes in ``extension_model`` and so on; where this is a disc in place of
        a map, ``extension_note`` says so.
    """
    sources = QTable(catalogue, copy=True)
    sources["name"], sources["class_label"] = sources["Source_Name"], class_group(sources["CLASS1"])
    sources["ra"], sources["dec"] = sources["RAJ2000"], sources["DEJ2000"]
    sources["glon"], sources["glat"] = sources["GLON"], sources["GLAT"]
    sources["flux"] = sources["Flux1000"]
    sources["energy_flux"] = spectra_of(sources).energy_flux(1 * u.GeV, 100 * u.GeV)
    sources["flux_history"] = _history(sources["Flux_History"].value)
    return conform(sources, SOURCES, what="the catalogue")


def add_power_laws(sources: QTable, index: np.ndarray, low: float, high: float) -> QTable:
    """Add the columns of a power law to sources with a photon flux between two energies.

    Parameters
    ----------
    sources : QTable
        Schema SOURCES.
    index : ndarray, shape (n,)
    low, high : float
        Energies of ``flux`` in GeV.
    """
    pivot, edges = np.sqrt(low * high) * 1e3, (low * 1e3, high * 1e3)
    slope = np.asarray(index, dtype=float)[:, None]
    of_one = photon_flux(lambda energy: power_law(energy, 1.0, pivot, slope), *edges)
    table = QTable(sources, copy=True)
    table["SpectrumType"] = np.full(len(table), "PowerLaw")
    table["Pivot_Energy"] = np.full(len(table), pivot) * u.MeV
    table["PL_Flux_Density"] = table["flux"].to("cm-2 s-1") / of_one / u.MeV
    table["PL_Index"] = slope[:, 0]
    return table


def _history(flux: np.ndarray) -> np.ndarray:
    """Flux of each year relative to the mean of all years with a flux."""
    known = np.isfinite(flux)
    total = np.where(known, flux, 0).sum(axis=1, keepdims=True)
    mean = total / np.maximum(known.sum(axis=1, keepdims=True), 1)
    relative = np.divide(flux, mean, out=np.ones(flux.shape), where=known & (mean > 0))
    return relative
