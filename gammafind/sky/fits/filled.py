"""The part of the sky that photons fill, where no header says it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.sky.fits.selections import Circle, in_circle
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import longitudes_latitudes, unit_vectors, vectors_in

_COARSE = (32, 16, 8, 4, 2)
"""HEALPix nside of the cells that are looked for photons, from fine to coarse."""
_ENOUGH = 20
"""Fine pixels with photons in a typical cell that has any: a cell without one, in a part of the sky
three times fainter, is then rarer than one in 700, and one whose neighbours are empty too never
happens by chance."""
_LARGEST = 75.0
"""Largest radius in degrees of a region that is fitted as a circle."""
_CHANCE = 1e-9
"""Probability below which photons of the whole sky are not all in one circle."""
_HALF = (0.25, 0.75)
"""Share of the pixels with photons within the inner half of a circle: a field is filled evenly,
while the surroundings of a single source are not."""
_FULL = 0.95
"""Share of the cells in a circle that hold photons, if it is the field."""


@dataclass(frozen=True, eq=False)
class FilledSky:
    """A part of the sky.

    Attributes
    ----------
    circles : tuple of Circle
    cells : ndarray of bool
        HEALPix cells in ICRS that are in no circle.
    """

    circles: tuple[Circle, ...]
    cells: np.ndarray

    @property
    def text(self) -> str:
        """The part in words."""
        parts = [
            f"a circle of {c.radius:.3g} deg around {c.ra:.5g}, {c.dec:.5g}" for c in self.circles
        ]
        if self.cells.any():
            parts.append(f"{41253 * self.cells.mean():.3g} square degrees")
        return " and ".join(parts)

    def holds(self, pixels: Pixels) -> np.ndarray:
        """Which pixels have their centres in it."""
        inside = [in_circle(circle, pixels) for circle in self.circles]
        if self.cells.any():
            vectors = vectors_in("icrs", pixels.centres().ravel())
            cells = HealpixPixels(int(np.sqrt(len(self.cells) / 12)), "icrs")
            inside.append(self.cells[cells.containing(vectors)].reshape(pixels.shape))
        return np.logical_or.reduce(inside)


def filled_sky(fine: HealpixPixels, seen: np.ndarray) -> FilledSky | None:
    """Part of the sky that photons fill.

    Parameters
    ----------
    fine : HealpixPixels
        In ICRS.
    seen : ndarray of bool
        Fine pixels with photons.

    Returns
    -------
    FilledSky or None
        None if it may be the whole sky, or cannot be known: a few photons say little, and those of
        single sources without any background do not show a field.
    """
    vectors = fine.vectors[seen]
    if len(vectors) < 3:
        return None
    nside = _nside(fine, seen)
    if nside is None:
        circle = _circle(vectors)
        alone = _unlikely(circle, len(vectors)) and _even(circle, vectors)
        return FilledSky((circle,), np.zeros(12, dtype=bool)) if alone else None
    cells = HealpixPixels(nside, "icrs")
    of_each = cells.containing(vectors)
    full = _closed(np.bincount(of_each, minlength=cells.shape[0]) > 0, nside)
    if not _far_from(full, nside).any():
        return None
    circles, rest = [], np.zeros(cells.shape, dtype=bool)
    for group in _groups(full, nside):
        circle = _circle(vectors[group[of_each]])
        if _is_field(circle, vectors[group[of_each]], group, cells):
            circles.append(circle)
        elif group.sum() < _ENOUGH:
            # A spot that is no field: the list holds sources without their surroundings.
            return None
        else:
            rest |= group
    return FilledSky(tuple(circles), rest)


def _nside(fine: HealpixPixels, seen: np.ndarray) -> int | None:
    """Finest cells of which those with photons hold enough; None if there are too few photons."""
    for nside in _COARSE:
        index = HealpixPixels(nside, "icrs").containing(fine.vectors[seen])
        number = np.bincount(index)
        if np.median(number[number > 0]) >= min(_ENOUGH, (fine.nside // nside) ** 2 // 2):
            return nside
    return None


def _circle(vectors: np.ndarray) -> Circle:
    """Smallest circle around unit vectors, nearly (Badoiu and Clarkson 2003)."""
    centre = vectors.mean(axis=0)
    for step in range(1, 300):
        farthest = vectors[np.argmin(vectors @ centre)]
        centre = centre + (farthest - centre) / (step + 1)
    centre /= np.linalg.norm(centre)
    radius = np.degrees(np.arccos(np.clip((vectors @ centre).min(), -1, 1)))
    lon, lat = longitudes_latitudes(centre[None])
    # The outermost of n points is on average 1/(2n) of the radius inside the circle.
    return Circle(float(lon[0]), float(lat[0]), float(radius * (1 + 0.5 / len(vectors))))


def _unlikely(circle: Circle, n: int) -> bool:
    """Whether n photons of the whole sky would not all be in such a circle by chance."""
    share = (1 - np.cos(np.radians(circle.radius))) / 2
    # Two of the photons say where the circle is.
    chance = 2 * np.log(n) + (n - 2) * np.log(max(share, 1e-300))
    return circle.radius < _LARGEST and chance < np.log(_CHANCE)


def _even(circle: Circle, vectors: np.ndarray) -> bool:
    """Whether about half of the vectors are in the inner half of the circle."""
    inner = np.cos(np.radians(circle.radius / np.sqrt(2)))
    share = (vectors @ unit_vectors(circle.ra, circle.dec) > inner).mean()
    # Of n photons the share scatters by 0.5 / sqrt(n).
    margin = 1 / np.sqrt(len(vectors))
    return _HALF[0] - margin < share < _HALF[1] + margin


def _is_field(circle: Circle, vectors: np.ndarray, group: np.ndarray, cells: HealpixPixels) -> bool:
    """Whether a group of cells is a field that is a circle."""
    if circle.radius > _LARGEST or not _even(circle, vectors):
        return False
    inside = in_circle(circle, cells)
    return group[inside].mean() > _FULL if inside.any() else True


def _neighbours(nside: int) -> np.ndarray:
    """Cells around each cell, shape (8, n); the cell itself where there is none."""
    import healpy as hp

    own = np.arange(12 * nside**2)
    around = hp.get_all_neighbours(nside, own)
    return np.where(around >= 0, around, own)


def _closed(full: np.ndarray, nside: int) -> np.ndarray:
    """Cells with photons, and those that have photons almost all around."""
    return full | (full[_neighbours(nside)].sum(axis=0) >= 6)


def _far_from(full: np.ndarray, nside: int) -> np.ndarray:
    """Cells without photons whose neighbours have none either."""
    return ~full & ~full[_neighbours(nside)].any(axis=0)


def _groups(full: np.ndarray, nside: int) -> list[np.ndarray]:
    """Connected groups of cells, each as an array of bool."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    around = _neighbours(nside)
    own = np.broadcast_to(np.arange(len(full)), around.shape)
    joined = full[own] & full[around]
    graph = coo_array(
        (np.ones(joined.sum()), (own[joined], around[joined])), shape=(len(full),) * 2
    )
    _, label = connected_components(graph, directed=False)
    return [full & (label == one) for one in np.unique(label[full])]
