"""A catalogue of detections with all that is measured of them."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.flags import Flag, has_flag
from gammafind.fitting.photons.resolution import at_own_resolution
from gammafind.pipeline.flags import with_wider_errors
from gammafind.pipeline.measure import measure_on
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.observation import Observation

_ELLIPSE = tuple(
    f"Conf_{share}_{part}" for share in (68, 95) for part in ("SemiMajor", "SemiMinor", "PosAng")
)
_PLACE = ("RAJ2000", "DEJ2000", "GLON", "GLAT", *_ELLIPSE)
"""What changes together, if a position is measured."""
_OF_SEARCH = ("Source_Name", "Offset")


def with_measured(
    catalogue: QTable, observation: Observation, renderer: SkyRenderer, *, workers: int = 1
) -> QTable:
    """Add measured columns to a published catalogue.

    Parameters
    ----------
    catalogue : QTable
        Of a search of the observation.
    observation : Observation
    renderer : SkyRenderer
    workers : int
        Number of processes.

    Returns
    -------
    QTable
        With the columns of `gammafind.measure`. Values of the search stay. Only positions and
        their errors are the measured ones, unless pixels are as wide as the PSF, or photons were
        searched on finer pixels: then those of the search are better, and ellipses are circles.
    """
    found = measure_on(observation, renderer, catalogue, workers=workers)
    table = QTable(catalogue, copy=False)
    moved = _moves(observation)
    for name in found.colnames:
        if name in _OF_SEARCH or (name in _PLACE and not moved):
            continue
        if name in _PLACE and name in table.colnames:
            known = np.isfinite(found["Conf_95_SemiMajor"])
            table[name] = np.where(known, found[name], table[name])
        elif name == "Flags" or name not in table.colnames:
            table[name] = found[name]
    table = with_wider_errors(table) if moved else _with_circles(table)
    if "Extension" in table.colnames:
        shapeless = (np.asarray(table["Extension"].value) > 0) & (_texts(table) == "")
        flags = np.asarray(table["Flags"])
        table["Flags"] = np.where(shapeless, flags | int(Flag.ON_EXTENDED), flags)
    table.meta["energy_edges_mev"] = found.meta["energy_edges_mev"]
    table.meta["measured"] = int(np.count_nonzero(~has_flag(table["Flags"], Flag.NOT_MEASURED)))
    return table


def _with_circles(table: QTable) -> QTable:
    """Ellipses where only radii are known: equal axes, with an angle of zero."""
    for share in (68, 95):
        major = f"Conf_{share}_SemiMajor"
        if major in table.colnames:
            radius = table[major]
            table[f"Conf_{share}_SemiMinor"] = radius.copy()
            table[f"Conf_{share}_PosAng"] = np.where(np.isfinite(radius), 0.0, np.nan) * u.deg
    return table


def _texts(table: QTable) -> np.ndarray:
    return np.char.strip(np.asarray(table["Extended_Source_Name"], dtype=str))


def _moves(observation: Observation) -> bool:
    """Whether measured positions are better than those of a search."""
    return not observation.counts.finer and not at_own_resolution(observation).is_coarse
