"""True sources in each patch, and the masks that mark them."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.errors import TableError
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.projection import vectors_in
from gammafind.utils.checks import require

_CARRIED = ("class_label", "flux")


def truth_table(sources: QTable, grid: PatchGrid, n_pixels: int, *, margin: float = 0) -> QTable:
    """Place each source in every patch that holds it.

    Parameters
    ----------
    sources : QTable
        With ``ra`` and ``dec``; ``class_label`` and ``flux`` are copied if present.
    grid : PatchGrid
    n_pixels : int
        Pixels per side of a patch, in which ``x`` and ``y`` are given.
    margin : float
        Pixels beyond the border of a patch within which sources are included too, so that masks
        contain the part of their discs that is inside.

    Returns
    -------
    QTable
        ``patch, x, y, source`` and the copied columns: index of the patch, pixel coordinates (0 at
        the centre of the first pixel), and row of ``sources``; ordered by patch, then by source.

    Raises
    ------
    OptionError
        If ``margin`` is negative or not finite.
    TableError
        If a position is not finite.
    """
    require("margin", margin, margin >= 0, "It must not be negative.")
    positions = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
    vectors = vectors_in(grid.frame, positions)
    if not np.all(np.isfinite(vectors)):
        raise TableError("the source table has positions that are not finite")
    patch, source, x, y = grid.members(vectors, n_pixels, margin=margin)
    table = QTable({"patch": patch, "x": x * u.pix, "y": y * u.pix, "source": source})
    for name in _CARRIED:
        if name in sources.colnames:
            table[name] = sources[name][source]
    return table


def truth_masks(truth: QTable, n_patches: int, n_pixels: int, *, radius: float = 5.0) -> np.ndarray:
    """Masks that are true within a disc around each source.

    Parameters
    ----------
    truth : QTable
        From `truth_table`, with a margin of at least ``radius`` to draw the inner part of sources
        outside the border.
    n_patches : int
    n_pixels : int
        Pixels per side, those of ``truth``.
    radius : float
        Pixels from the source to the furthest pixel centre that is marked. The paper mentions a
        disc of 5 pixels and a radius of 5 pixels, so 2.5 is another possible reading.

    Returns
    -------
    ndarray of bool, shape (n_patches, n_pixels, n_pixels)

    Raises
    ------
    OptionError
        If ``radius`` is not positive.
    TableError
        If a patch index is not below ``n_patches``.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 3.1.
    """
    require("radius", radius, radius > 0, "It must be positive.")
    patch = np.asarray(truth["patch"])
    if len(patch) and (patch.min() < 0 or patch.max() >= n_patches):
        raise TableError(
            f"patch runs from {patch.min()} to {patch.max()}",
            remedy=f"It must be within 0 to {n_patches - 1}.",
        )
    x, y = (truth[name].to_value(u.pix) for name in ("x", "y"))
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    masks = np.zeros((n_patches, n_pixels, n_pixels), dtype=bool)
    reach = int(np.ceil(radius + 0.5))
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            i, j = row + dy, column + dx
            marked = (i - y) ** 2 + (j - x) ** 2 <= radius**2
            marked &= (i >= 0) & (i < n_pixels) & (j >= 0) & (j < n_pixels)
            masks[patch[marked], i[marked], j[marked]] = True
    return masks
