"""Detections of overlapping patches become detections on the sky, each source once."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.pairs import pairs_within, radii_of
from gammafind.catalogue.schema import DETECTIONS, PATCH_DETECTIONS, conform, empty_table
from gammafind.errors import OptionError, TableError
from gammafind.sky.patches import PatchGrid

__all__ = ["R68_OVER_SIGMA", "R95_OVER_R68", "merge_detections", "merge_duplicates"]

R68_OVER_SIGMA = float(np.sqrt(-2 * np.log(0.32)))
"""68 % containment radius of a two-dimensional Gaussian over its standard deviation (1.51)."""
R95_OVER_R68 = float(np.sqrt(np.log(20) / np.log(1 / 0.32)))
"""95 % over 68 % containment radius of a two-dimensional Gaussian (1.62)."""

_PIXELS = 2.0
"""Duplicates may lie this many pixels apart where no position error is known."""


def merge_detections(
    found: QTable, grid: PatchGrid, width: int, *, radius: Quantity | None = None
) -> QTable:
    """Bring the detections of patches onto the sky and keep each source once.

    A detection counts only where it is seen best: in the patch whose centre is nearest. At the
    border between two such regions, within ``radius``, both patches count, so that a source
    that each patch places on the other's side is not lost. What is left over of two patches
    within ``radius`` is one source; the detection nearer to its patch centre is kept.
    Detections of one and the same patch are never merged.

    Parameters
    ----------
    found : QTable
        ``patch, x, y, score`` and, where known, ``pos_err, n_pixels``; pixels of the finest
        band. Other columns are carried along.
    grid : PatchGrid
        The patches in which ``found`` was found.
    width : int
        Pixels per side of a patch in the finest band.
    radius : Quantity, optional
        By default the larger of two pixels and the 95 % position error.

    Returns
    -------
    QTable
        ``ra, dec, glon, glat, score, pos_err, n_pixels``, highest score first; the same for
        any order of the rows of ``found``.

    Raises
    ------
    TableError
        If a column is missing or a patch index is none of ``grid``.
    """
    found = conform(found, PATCH_DETECTIONS, what="the table of patch detections")
    if len(found) == 0:
        return empty_table(DETECTIONS)
    patch = found["patch"]
    if patch.min() < 0 or patch.max() >= len(grid):
        raise TableError(
            f"patch runs from {patch.min()} to {patch.max()}",
            remedy=f"It must lie within 0 to {len(grid) - 1}.",
        )
    pixels = found["x"].to_value(u.pix), found["y"].to_value(u.pix)
    positions = grid.positions(patch, *pixels, width)
    radii = _default_radii(found, grid.pixel_size(width)) if radius is None else radius
    radii = radii_of(radii, len(found))
    offset = positions.separation(grid.centres[patch]).deg
    nearest = positions.separation(grid.centres[grid.nearest(positions)]).deg
    counts = np.flatnonzero(offset <= nearest + radii)
    kept = counts[
        merge_duplicates(
            positions[counts],
            found["score"][counts],
            radii[counts] * u.deg,
            priority=-offset[counts],
            group=patch[counts],
        )
    ]
    return _on_sky(found[kept], positions[kept])


def merge_duplicates(
    positions: SkyCoord,
    score: np.ndarray,
    radius: Quantity,
    *,
    priority: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> np.ndarray:
    """Keep one of all detections that lie within a radius of each other.

    The detection of highest priority is kept and what lies within the radius of it is dropped;
    then the next. Equal priorities are settled by score, group and position, never by the
    order of the rows.

    Parameters
    ----------
    positions : SkyCoord, shape (n,)
    score : ndarray, shape (n,)
    radius : Quantity, scalar or shape (n,)
        Two detections are one source within the larger of their radii.
    priority : ndarray, shape (n,), optional
        Highest wins; the score by default.
    group : ndarray of int, shape (n,), optional
        Detections of one group (a patch) are distinct, however close they are.

    Returns
    -------
    ndarray of int
        Indices of the detections kept, best first.
    """
    n = len(positions)
    score = np.asarray(score, dtype=float)
    priority = score if priority is None else np.asarray(priority, dtype=float)
    distinct = group is not None
    group = np.asarray(group) if distinct else np.zeros(n, dtype=int)
    for name, values in (("score", score), ("priority", priority), ("group", group)):
        if values.shape != (n,):
            raise OptionError(f"{name} has shape {values.shape} for {n} positions")
    i, j, _ = pairs_within(positions, positions, radii_of(radius, n))
    other = group[i] != group[j] if distinct else i != j
    neighbours: list[set[int]] = [set() for _ in range(n)]
    for first, second in zip(i[other].tolist(), j[other].tolist(), strict=True):
        neighbours[first].add(second)
        neighbours[second].add(first)
    here = positions.icrs
    kept: list[int] = []
    dropped: set[int] = set()
    for index in np.lexsort((here.dec.deg, here.ra.deg, group, -score, -priority)).tolist():
        if index not in dropped:
            kept.append(index)
            dropped |= neighbours[index]
    return np.asarray(kept, dtype=int)


def _default_radii(found: QTable, pixel_size: float) -> Quantity:
    """Return the larger of two pixels and the 95 % position error, for each detection."""
    radii = np.full(len(found), _PIXELS * pixel_size)
    if "pos_err" in found.colnames:
        radii = np.fmax(radii, R95_OVER_R68 * found["pos_err"].to_value(u.deg))
    return radii * u.deg


def _on_sky(found: QTable, positions: SkyCoord) -> QTable:
    """Replace patch pixels by sky positions; order by score, then by position."""
    sky = QTable(found, copy=True)
    sky.remove_columns(["patch", "x", "y"])
    sky["ra"], sky["dec"] = positions.icrs.ra, positions.icrs.dec
    sky["glon"], sky["glat"] = positions.galactic.l, positions.galactic.b
    table = conform(sky, DETECTIONS, what="the merged detections")
    return table[np.lexsort((table["dec"].value, table["ra"].value, -table["score"]))]
