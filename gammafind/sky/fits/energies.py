"""Energies of a FITS map: its bins or nodes in any table, and the matching bands."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import AssumptionWarning, EnergyEdgesError, FileFormatError
from gammafind.sky.bands import Band
from gammafind.sky.fits.choosing import MapHDU
from gammafind.sky.fits.selections import cut_range
from gammafind.units import stated_unit

_RTOL = 1e-3
"""Relative difference of equal edges: above the rounding of files, far below the width of a bin."""
_LOW = ("E_MIN", "EMIN", "ENERGY_MIN", "ENERGY_TRUE_MIN", "ENERG_LO")
_HIGH = ("E_MAX", "EMAX", "ENERGY_MAX", "ENERGY_TRUE_MAX", "ENERG_HI")
_NODE = ("ENERGY", "ENERGY_TRUE")
_PLAUSIBLE = (10 * u.MeV, 10 * u.TeV)
"""Energies of the LAT: a column without a unit has the one that brings it here."""
_VARYING = ("NPIX", "CRPIX", "CDELT", "NSIDE", "ORDER")
"""Columns of a table of bands that give each band pixels of its own."""


@dataclass(frozen=True, eq=False)
class Energies:
    """Energies of the maps of a file.

    Parameters
    ----------
    table : str
        Name of the table, empty if there is none.
    bins : Quantity or None
        Edges, shape (n, 2).
    nodes : Quantity or None
        Energies of maps that hold for one energy, shape (n,).
    """

    table: str = ""
    bins: Quantity | None = None
    nodes: Quantity | None = None

    def of(self, n_maps: int, *, counted: bool) -> Energies:
        """Energies for a number of maps: n + 1 nodes of n maps of counts are their edges."""
        if counted and self.nodes is not None and len(self.nodes) == n_maps + 1:
            return Energies(self.table, np.stack([self.nodes[:-1], self.nodes[1:]], axis=1))
        if not counted and self.bins is not None and len(self.bins) == n_maps - 1:
            return Energies(self.table, None, np.append(self.bins[:, 0], self.bins[-1, 1]))
        return self


def read_energies(file: fits.HDUList, hdu: MapHDU, path: str | PathLike) -> Energies:
    """Energies of a map, from the table that its header or convention names.

    That is ``BANDSHDU``, or otherwise ``EBOUNDS``, ``ENERGIES``, or a table whose name ends in
    ``BANDS``, as gammapy and the Fermitools write them.

    Parameters
    ----------
    file : HDUList
    hdu : HDU
        The map.
    path : path-like
        For messages.

    Raises
    ------
    EnergyEdgesError
        If columns are missing, a unit is not an energy, a bin is empty or not positive, or the
        nodes do not increase.
    FileFormatError
        If the bands have different pixels, or a second axis such as time.
    """
    table = _table(file, hdu)
    if table is None:
        return Energies()
    names = {name.upper(): name for name in table.columns.names}
    _refuse_other_axes(table, names, path)
    low, high, node = (_first(names, among) for among in (_LOW, _HIGH, _NODE))
    default = u.keV if low and table.name == "EBOUNDS" else u.MeV
    if low and high:
        columns = _energies(table, [names[low], names[high]], default, path)
        edges = _in_channels(table, names, columns, path)
        if not len(edges) or np.any(edges[:, 0] != edges[:, 1]):
            return Energies(table.name, _checked_bins(table.name, edges, path))
        return Energies(table.name, None, _checked_nodes(table.name, edges[:, 0], path))
    if not node:
        wanted = "E_MIN" if table.name == "EBOUNDS" else "ENERGY"
        wanted = "E_MAX" if low else wanted
        raise EnergyEdgesError(
            f"{table.name} has no column {wanted}", path=path, remedy=f"It has {', '.join(names)}."
        )
    nodes = _energies(table, [names[node]], default, path)[:, 0]
    values = _in_channels(table, names, nodes, path)
    return Energies(table.name, None, _checked_nodes(table.name, values, path))


def energy_cut(selections: Sequence[str]) -> Quantity | None:
    """Bin that the cut on the energies of the photons makes, shape (1, 2); None without a cut."""
    low, high = cut_range(selections, "ENERGY") or (0, 0)
    if not 0 < low < high < np.inf:
        return None
    return ([[low, high]] * u.MeV).to(u.keV)


def bins_in_band(bins: Quantity, band: Band) -> list[int] | None:
    """Indices of the adjacent bins that make up ``band``, None if the edges do not match.

    Parameters
    ----------
    bins : Quantity, shape (n, 2)
    band : Band

    Returns
    -------
    list of int or None
        Edges match if they differ by less than 0.1 %.
    """
    low, high = np.sort(band.edges.to_value(u.keV, u.spectral()))
    edges = bins.to_value(u.keV)
    inside = [
        int(i)
        for i in np.argsort(edges[:, 0])
        if edges[i, 0] > low * (1 - _RTOL) and edges[i, 1] < high * (1 + _RTOL)
    ]
    if not inside:
        return None
    starts = np.append(edges[inside, 0], high)
    ends = np.insert(edges[inside, 1], 0, low)
    return inside if np.allclose(starts, ends, rtol=_RTOL, atol=0) else None


def overlapping(bins: Quantity) -> bool:
    """Whether bins of shape (n, 2), sorted by their low edge, overlap."""
    edges = bins.to_value(u.keV)
    return bool(np.any(edges[1:, 0] < edges[:-1, 1] * (1 - _RTOL)))


def format_edges(bins: Quantity | Sequence[Band]) -> str:
    """Bins or bands as text in GeV, for messages."""
    if not isinstance(bins, Quantity):
        bins = u.Quantity([np.sort(band.edges.to(u.keV, u.spectral())) for band in bins])
    return ", ".join(f"{low:.4g}-{high:.4g}" for low, high in bins.to_value(u.GeV)) + " GeV"


def _table(file: fits.HDUList, hdu: MapHDU) -> fits.BinTableHDU | None:
    """Table of the energies of a map."""
    named = str(hdu.header.get("BANDSHDU", "")).strip().upper()
    wanted = [named] if named else []
    wanted += ["EBOUNDS", "ENERGIES", f"{hdu.name or 'PRIMARY'}_BANDS".upper(), "BANDS"]
    tables = {hdu.name.upper(): hdu for hdu in file if isinstance(hdu, fits.BinTableHDU)}
    if len(found := [name for name in tables if name.endswith("_BANDS")]) == 1:
        wanted += found
    return next((tables[name] for name in wanted if name in tables), None)


def _first(names: dict[str, str], among: Sequence[str]) -> str:
    return next((name for name in among if name in names), "")


def _refuse_other_axes(
    table: fits.BinTableHDU, names: dict[str, str], path: str | PathLike
) -> None:
    """Refuse bands with pixels of their own, and further axes, such as time."""
    for name in _VARYING:
        if name in names and len(np.unique(np.asarray(table.data[names[name]]), axis=0)) > 1:
            raise FileFormatError(
                f"the bands have different pixels ({table.name}, column {name})",
                path=path,
                remedy="Write each band to a file of its own.",
            )
    for number in range(2, 10):
        columns = str(table.header.get(f"AXCOLS{number}", "")).split(",")
        for name in (name.strip() for name in columns):
            if name in table.columns.names and len(np.unique(table.data[name])) > 1:
                raise FileFormatError(
                    f"the maps have a second axis, {name}, next to the energy",
                    path=path,
                    remedy="Sum over it, or write each of its bins to a file of its own.",
                )


def _in_channels(
    table: fits.BinTableHDU, names: dict[str, str], values: Quantity, path: str | PathLike
) -> Quantity:
    """Values in the order of the channel numbers, where these count the rows."""
    if "CHANNEL" not in names:
        return values
    channel = np.ravel(table.data[names["CHANNEL"]])
    if channel.dtype.kind not in "iuf" or np.any(channel < 0):
        raise EnergyEdgesError(
            f"{table.name}: the column CHANNEL has {channel.dtype.name}, from {channel.min()}",
            path=path,
            remedy="Channels are whole numbers from 0 or 1.",
        )
    order = np.argsort(channel, kind="stable")
    counting = np.array_equal(np.diff(channel[order]), np.ones(len(channel) - 1))
    return values[order] if counting and len(channel) == len(values) else values


def _checked_bins(table: str, edges: Quantity, path: str | PathLike) -> Quantity:
    low, high = edges.T
    wrong = np.flatnonzero(~((low > 0 * u.keV) & (high > low) & np.isfinite(high)))
    if len(wrong) or not len(low):
        detail = "there is no bin"
        if len(low):
            detail = f"bin {wrong[0] + 1} runs from {low[wrong[0]]:g} to {high[wrong[0]]:g}"
        raise EnergyEdgesError(
            f"{table}: {detail}", path=path, remedy="Each bin needs 0 < E_MIN < E_MAX."
        )
    return edges


def _checked_nodes(table: str, nodes: Quantity, path: str | PathLike) -> Quantity:
    if not len(nodes) or not nodes[0] > 0 * u.keV or not np.all(np.diff(nodes) > 0 * u.keV):
        raise EnergyEdgesError(f"{table}: the energies are not positive and increasing", path=path)
    return nodes


def _energies(
    hdu: fits.BinTableHDU, names: Sequence[str], default: u.UnitBase, path: str | PathLike
) -> Quantity:
    """Columns of energies, shape (n, n_columns)."""
    columns = []
    for name in names:
        column = hdu.columns[name]
        unit = stated_unit(column.unit, default)
        values = np.array(hdu.data[column.name])
        if unit is None or values.dtype.kind not in "iuf":
            raise EnergyEdgesError(
                f"column {name} of {hdu.name} has {values.dtype.name} in {column.unit!r}",
                path=Path(path),
                remedy="Energies in keV, MeV or GeV are needed.",
            )
        columns.append(values.ravel().astype(float) * unit)
    found = np.stack(columns, axis=1)
    if any((hdu.columns[name].unit or "").strip() for name in names):
        return found.to(u.keV)
    values = found.to_value(default)
    return (values * _likely_unit(values, default, f"{path}: {hdu.name}")).to(u.keV)


def _likely_unit(values: np.ndarray, default: u.UnitBase, what: str) -> u.UnitBase:
    """Unit that makes all values energies of gamma rays; the default, if it does."""
    first, last = u.Quantity(_PLAUSIBLE)
    for unit in (default, u.keV, u.MeV, u.GeV):
        if len(values) and np.all((values * unit >= first) & (values * unit <= last)):
            if unit != default:
                warnings.warn(
                    f"{what} has no unit of energies; from {values.min():g} to {values.max():g}, "
                    f"it is taken as {unit}",
                    AssumptionWarning,
                    stacklevel=2,
                )
            return unit
    return default
