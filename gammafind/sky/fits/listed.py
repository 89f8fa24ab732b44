"""Lists of HEALPix pixels that leave out those without counts."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.errors import AssumptionWarning
from gammafind.sky.fits.layers import Layers
from gammafind.sky.fits.selections import in_field
from gammafind.sky.pixels import HealpixPixels

_MISSING = 5.0
"""Expected number of empty pixels from which on their absence is no chance: exp(-5) < 1 %."""
_PER_CELL = 8
"""Listed pixels in a cell of the observed area: an empty cell is then no chance (exp(-8))."""
_WHOLE = 0.9
"""Share of the cells with counts from which on the whole sky was observed."""
_DISK = re.compile(r"DISK\w*\(([^,]+),([^,]+),([^,)]+)\)|\(DISK\w*,([^,]+),([^,]+),([^,)]+)\)")


def with_empty_pixels(file: Layers) -> Layers:
    """Layers in which pixels that a list of counts leaves out for being empty are zero.

    A list that holds no empty pixel, although its pixels with one and two counts say that there
    must be some, leaves them out. They were observed in the circle of the photon selection
    (``POS``), in the disc of ``HPX_REG``, or where most of the sky around has counts.

    Parameters
    ----------
    file : Layers
        Of counts.

    Returns
    -------
    Layers
        The same object if it lists all pixels that were observed.

    Warns
    -----
    AssumptionWarning
        If pixels are taken as empty.
    """
    if not file.listed or not isinstance(file.pixels, HealpixPixels):
        return file
    listed = np.logical_or.reduce(file.valid)
    counts = sum(np.where(good, v, 0) for v, good in zip(file.values, file.valid, strict=True))
    if not _leaves_out_empty(counts[listed]):
        return file
    seen, where = _observed(file, listed)
    empty = seen & ~listed
    warnings.warn(
        f"{file.path}: the list of {np.count_nonzero(listed)} pixels has none without counts; "
        f"{np.count_nonzero(empty)} pixels that it leaves out, {where}, are taken as empty",
        AssumptionWarning,
        stacklevel=3,
    )
    return replace(file, valid=tuple(good | empty for good in file.valid), listed=False)


def _leaves_out_empty(counts: np.ndarray) -> bool:
    """Whether empty pixels are missing in counts of pixels.

    With ``f1`` pixels of one count and ``f2`` of two, there are at least ``f1**2 / (2 f2)`` of
    none, however uneven the sky is (Chao 1984, Scand. J. Stat. 11, 265).
    """
    if not counts.size or np.any(counts < 1):
        return False
    ones, twos = (np.count_nonzero(counts == n) for n in (1, 2))
    return ones * max(ones - 1, 0) / (2 * (twos + 1)) > _MISSING


def _observed(file: Layers, listed: np.ndarray) -> tuple[np.ndarray, str]:
    """Pixels that were observed, and how that is known."""
    field = in_field(file.selections, file.pixels)
    if not field.all():
        return field, "in the circle of the photon selection"
    disc = _disc(file.region, file.pixels)
    if disc is not None:
        return disc, "in the disc of HPX_REG"
    near = _near(listed, file.pixels)
    return near, "on the whole sky" if near.all() else "between those with counts"


def _disc(region: str, pixels: HealpixPixels) -> np.ndarray | None:
    match = _DISK.search(region)
    try:
        lon, lat, radius = (float(text) for text in match.groups() if text) if match else (0, 99, 0)
        centre = SkyCoord(lon, lat, unit="deg", frame=pixels.frame)
    except ValueError:
        return None
    return centre.separation(pixels.centres()) <= radius * u.deg


def _near(listed: np.ndarray, pixels: HealpixPixels) -> np.ndarray:
    """Pixels in coarse cells that have counts, or are between such cells."""
    import healpy as hp

    nested = hp.ring2nest(pixels.nside, np.flatnonzero(listed))
    nside = pixels.nside
    while nside > 1:
        cells = np.unique(nested // (pixels.nside // nside) ** 2)
        if listed.sum() / len(cells) >= _PER_CELL:
            break
        nside //= 2
    occupied = np.zeros(12 * nside**2, dtype=bool)
    occupied[nested // (pixels.nside // nside) ** 2] = True
    if occupied.mean() > _WHOLE:
        return np.ones(listed.shape, dtype=bool)
    around = hp.get_all_neighbours(nside, np.arange(occupied.size), nest=True)
    occupied |= (np.where(around >= 0, occupied[around], False)).sum(axis=0) > len(around) / 2
    cell = hp.ring2nest(pixels.nside, np.arange(listed.size)) // (pixels.nside // nside) ** 2
    return occupied[cell]
