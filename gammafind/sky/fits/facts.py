"""What a FITS file is and what its headers say, without reading its maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import FileFormatError, InputFileError
from gammafind.sky.fits.choosing import choose_map, is_map
from gammafind.sky.fits.counts import file_energy_bins
from gammafind.sky.fits.energies import format_edges, read_energies
from gammafind.sky.fits.good_times import file_good_times
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.fits.selections import Circle, circle_of, cut_range, file_selections
from gammafind.sky.fits.table_rows import RowReader

Kind = Literal["photons", "counts", "exposure", "livetime", "spacecraft", "intensity", "other"]

KINDS: dict[Kind, str] = {
    "photons": "photon list",
    "counts": "count maps",
    "exposure": "exposure maps",
    "livetime": "livetime cube",
    "spacecraft": "spacecraft file",
    "intensity": "intensity cube",
    "other": "neither maps nor photons",
}
"""Kinds of files, and what they are called."""

_TIME_KEYS = ("TSTART", "TSTOP")


@dataclass(frozen=True, kw_only=True)
class PhotonFacts:
    """How many photons there are, from when to when in s, and from which energy to which in MeV."""

    number: int
    times: tuple[float, float] | None
    energies: tuple[float, float] | None


@dataclass(frozen=True, kw_only=True, eq=False)
class FileFacts:
    """What the headers of one file say.

    Attributes
    ----------
    path : Path
    kind : {"photons", "counts", "exposure", "livetime", "spacecraft", "intensity", "other"}
    hdus : tuple of str
        Names of the HDUs.
    bins : Quantity or None
        Edges of the energy bins of count maps, shape (n, 2).
    nodes : Quantity or None
        Energies of an exposure or an intensity.
    selections : tuple of str
        Cuts on the photons, as `gammafind.sky.fits.selections.selections` returns them.
    good_times : ndarray or None
        Start and stop of each good time interval in s, shape (n, 2).
    span : tuple of float or None
        TSTART and TSTOP in s.
    photons : PhotonFacts or None
        What a photon list holds.
    fault : str
        What is wrong with the energies; empty if nothing is.
    """

    path: Path
    kind: Kind
    hdus: tuple[str, ...]
    bins: Quantity | None = None
    nodes: Quantity | None = None
    selections: tuple[str, ...] = ()
    good_times: np.ndarray | None = None
    span: tuple[float, float] | None = None
    photons: PhotonFacts | None = None
    fault: str = ""

    @property
    def good_time(self) -> float | None:
        """Sum of the good time intervals in s, None if the file has none."""
        if self.good_times is None:
            return None
        return float(np.diff(self.good_times, axis=1).sum())

    @property
    def circle(self) -> Circle | None:
        """Selection circle of the photons, None for the whole sky."""
        return circle_of(self.selections)

    def range(self, name: str) -> tuple[float, float] | None:
        """Lowest and highest value of a cut such as ENERGY (in MeV), as `cut_range` has them."""
        return cut_range(self.selections, name)

    @property
    def energies(self) -> str:
        """Energies as text, empty where the headers do not give them."""
        if self.fault:
            return self.fault
        if self.bins is not None:
            n = len(self.bins)
            edges = self.bins.to_value(u.GeV)
            ends = f"{edges.min():.4g} to {edges.max():.4g} GeV"
            return f"{n} bins of {ends}" if n > 1 else format_edges(self.bins)
        if self.nodes is not None:
            nodes = self.nodes.to_value(u.GeV)
            return f"{len(nodes)} energies, {nodes.min():.4g} to {nodes.max():.4g} GeV"
        found = self.range("ENERGY")
        return f"{found[0] / 1e3:.4g}-{found[1] / 1e3:.4g} GeV" if found else ""


def data_files(files: Sequence[FileFacts]) -> list[FileFacts]:
    """Files of photons or counts among others."""
    return [file for file in files if file.kind in ("photons", "counts")]


def read_facts(path: str | PathLike) -> FileFacts:
    """Look into the headers of a file.

    Raises
    ------
    InputFileError
        If the file cannot be opened; energies that cannot be read are a `FileFacts.fault`.
    """
    path = Path(path)
    with open_fits(path) as file:
        kind = _kind(file)
        bins, nodes, fault = None, None, ""
        try:
            bins, nodes = _energies_of(file, kind, path)
        except InputFileError as error:
            fault = error.fault
        return FileFacts(
            path=path,
            kind=kind,
            hdus=tuple(hdu.name or "PRIMARY" for hdu in file),
            bins=bins,
            nodes=nodes,
            selections=file_selections(file),
            good_times=file_good_times(file),
            span=_span(file),
            photons=_photons(file["EVENTS"], path) if kind == "photons" else None,
            fault=fault,
        )


def _kind(file: fits.HDUList) -> Kind:
    names = {hdu.name for hdu in file}
    if "EVENTS" in names:
        return "photons"
    if "SC_DATA" in names:
        return "spacecraft"
    if "CTHETABOUNDS" in names:
        return "livetime"
    maps = [hdu for hdu in file if is_map(hdu)]
    if not maps:
        return "other"
    if any(hdu.name.upper() == "COUNTS" for hdu in maps):
        return "counts"  # Also in a dataset of gammapy, which holds a PSF per steradian.
    if any("SR" in str(hdu.header.get("BUNIT", "")).upper() for hdu in maps):
        return "intensity"
    has_nodes = "ENERGIES" in names and "EBOUNDS" not in names
    return "exposure" if "HPXEXPOSURES" in names or has_nodes else "counts"


def _energies_of(
    file: fits.HDUList, kind: Kind, path: Path
) -> tuple[Quantity | None, Quantity | None]:
    """Bins and nodes of the maps of a file."""
    if kind not in ("counts", "exposure"):
        return None, None
    if kind == "counts":
        return file_energy_bins(file, path), None
    found = read_energies(file, choose_map(file, path, want=kind), path)
    return found.bins, found.nodes


def _span(file: fits.HDUList) -> tuple[float, float] | None:
    """TSTART and TSTOP of the first header that has numbers for both."""
    for hdu in file:
        values = [hdu.header.get(key) for key in _TIME_KEYS]
        if all(isinstance(value, int | float) for value in values) and values[0] < values[1]:
            return float(values[0]), float(values[1])
    return None


def _photons(hdu: fits.hdu.base._BaseHDU, path: Path) -> PhotonFacts | None:
    try:
        reader = RowReader.of(hdu, path)
    except FileFormatError:
        return None
    return PhotonFacts(
        number=len(reader),
        times=_extremes(reader, "TIME", u.s),
        energies=_extremes(reader, "ENERGY", u.MeV),
    )


def _extremes(reader: RowReader, name: str, unit: u.UnitBase) -> tuple[float, float] | None:
    """Smallest and largest finite number of a column; None without such a column."""
    ends: list[float] = []
    try:
        for rows in reader.parts():
            values = reader.numbers(rows, name, unit)
            values = values[np.isfinite(values)]
            ends += [values.min(), values.max()] if values.size else []
    except FileFormatError:
        return None
    return (float(min(ends)), float(max(ends))) if ends else None
