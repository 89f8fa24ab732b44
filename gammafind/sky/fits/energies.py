"""Energies of a FITS map: its bins (EBOUNDS), its nodes (ENERGIES), and the matching bands."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import EnergyEdgesError
from gammafind.sky.bands import Band

_RTOL = 1e-3
"""Relative difference of equal edges: above the rounding of files, far below the width of a bin."""


def energy_bins(file: fits.HDUList, path: str | PathLike) -> Quantity | None:
    """Edges of the energy bins from ``EBOUNDS``, shape (n, 2), None if there is no such table.

    Raises
    ------
    EnergyEdgesError
        If columns are missing, a unit is not an energy, or a bin is empty or not positive.
    """
    hdu = _table(file, "EBOUNDS")
    if hdu is None:
        return None
    low, high = (_energies(hdu, name, u.keV, path) for name in ("E_MIN", "E_MAX"))
    wrong = np.flatnonzero(~((low > 0 * u.keV) & (high > low) & np.isfinite(high)))
    if len(wrong) or not len(low):
        detail = f"bin {wrong[0] + 1} runs from {low[wrong[0]]:g} to {high[wrong[0]]:g}"
        raise EnergyEdgesError(
            f"EBOUNDS: {detail if len(low) else 'there is no bin'}",
            path=path,
            remedy="Each bin needs 0 < E_MIN < E_MAX.",
        )
    return np.stack([low, high], axis=1)


def energy_nodes(file: fits.HDUList, path: str | PathLike) -> Quantity | None:
    """Energies of an exposure cube from ``ENERGIES``, shape (n,), None if there is no such table.

    Raises
    ------
    EnergyEdgesError
        If the column is missing, its unit is not an energy, or the energies do not increase.
    """
    hdu = _table(file, "ENERGIES")
    if hdu is None:
        return None
    nodes = _energies(hdu, "ENERGY", u.MeV, path)
    if not len(nodes) or not nodes[0] > 0 * u.keV or not np.all(np.diff(nodes) > 0 * u.keV):
        raise EnergyEdgesError("ENERGIES: the energies are not positive and increasing", path=path)
    return nodes


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


def _table(file: fits.HDUList, name: str) -> fits.BinTableHDU | None:
    found = (hdu for hdu in file if isinstance(hdu, fits.BinTableHDU) and hdu.name == name)
    return next(found, None)


def _energies(
    hdu: fits.BinTableHDU, name: str, default: u.UnitBase, path: str | PathLike
) -> Quantity:
    names = {column.name.upper(): column for column in hdu.columns}
    if name not in names:
        raise EnergyEdgesError(
            f"{hdu.name} has no column {name}",
            path=Path(path),
            remedy=f"It has {', '.join(names)}.",
        )
    column = names[name]
    unit = u.Unit(column.unit.strip(), parse_strict="silent") if column.unit else default
    values = np.array(hdu.data[column.name])
    if not unit.is_equivalent(u.keV) or values.dtype.kind not in "iuf":
        raise EnergyEdgesError(
            f"column {name} of {hdu.name} has {values.dtype.name} in {column.unit!r}",
            path=Path(path),
            remedy="Energies in keV, MeV or GeV are needed.",
        )
    return (values.ravel().astype(float) * unit).to(u.keV)
