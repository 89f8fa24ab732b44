"""Merging the detections of overlapping patches: each source appears once."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.pairs import pairs_within, radii_of
from gammafind.catalogue.schema import DETECTIONS, PATCH_DETECTIONS, conform, empty_table
from gammafind.errors import OptionError, TableError
from gammafind.sky.patch_grid import PatchGrid

R68_OVER_SIGMA = float(np.sqrt(-2 * np.log(0.32)))
"""Ratio of the 68 % containment radius of a two-dimensional Gaussian to its sigma (1.51)."""
R95_OVER_R68 = float(np.sqrt(np.log(20) / np.log(1 / 0.32)))
"""Ratio of the 95 % to the 68 % containment radius of a two-dimensional Gaussian (1.62)."""

_PIXELS = 2.0
"""Largest separation of duplicates, in pixels, without position errors: balances double entries and
merged neighbours."""


def merge_detections(
    found: QTable, grid: PatchGrid, width: int, *, radius: Quantity | None = None
) -> QTable:
    """Convert the detections of patches to sky positions and keep each source once.

    A detection is used only in the patch with the nearest centre. At the border between two such
    regions, within ``radius``, both patches are used; otherwise a source that each patch places on
    the other side would be lost. Remaining detections of two patches within ``radius`` are one
    source, and the detection nearer to its patch centre is kept. Detections of the same patch are
    never merged.

    Parameters
    ----------
    found : QTable
        ``patch, x, y, score`` and, if known, ``pos_err, n_pixels``, in pixels of the finest band.
        Other columns are copied.
    grid : PatchGrid
        The patches of ``found``.
    width : int
        Pixels per side of a patch in the finest band.
    radius : Quantity, optional
        By default the larger of two pixels and the 95 % position error.

    Returns
    -------
    QTable
        ``ra, dec, glon, glat, score, pos_err, n_pixels``, highest score first. The result does not
        depend on the order of the rows of ``found``.

    Raises
    ------
    TableError
        If a column is missing or a patch index is not in ``grid``.
    """
    found = conform(found, PATCH_DETECTIONS, what="the table of patch detections")
    if len(found) == 0:
        return empty_table(DETECTIONS)
    patch = found["patch"]
    if patch.min() < 0 or patch.max() >= len(grid):
        raise TableError(
            f"patch runs from {patch.min()} to {patch.max()}",
            remedy=f"It must be within 0 to {len(grid) - 1}.",
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
    """Keep one of all detections that are within a radius of each other.

    The detection with the highest priority is kept and all others within its radius are dropped;
    then the next. Ties are resolved by score, group and position, never by the order of the rows.

    Parameters
    ----------
    positions : SkyCoord, shape (n,)
    score : ndarray, shape (n,)
    radius : Quantity, scalar or shape (n,)
        Two detections within the larger of their radii are one source.
    priority : ndarray, shape (n,), optional
        The highest is kept; by default the score.
    group : ndarray of int, shape (n,), optional
        Detections of one group (a patch) are distinct, however close they are.

    Returns
    -------
    ndarray of int
        Indices of the kept detections, best first.
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
