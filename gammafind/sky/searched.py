"""The region that was searched: of a map, and as text for the metadata of a catalogue.

The text is a MOC (multi-order coverage map) in ASCII: an order and the HEALPix cells of this order
in ICRS, NESTED, such as ``7/100-120 144``. ``0/0-11`` is the whole sky.

References
----------
IVOA recommendation MOC 2.0, https://www.ivoa.net/documents/MOC/
"""

from __future__ import annotations

import re

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.sky.areas import pixel_areas
from gammafind.sky.projection import positions_of
from gammafind.sky.skymap import SkyMap

WHOLE_SKY = "0/0-11"
_CELLS_A_SIDE = 64
"""Cells across a region: keeps the text below some kilobytes, and its border exact to 2 %."""
_COARSEST, _FINEST, _LISTED = 6, 29, 8
"""Orders: of large regions, of HEALPix itself, and up to which all cells of the sky are tried."""
_FORM = re.compile(r"\s*(\d+)/(\d+(?:-\d+)?(?:[\s,]+\d+(?:-\d+)?)*)\s*")


def covered(counts: SkyMap, positions: SkyCoord) -> np.ndarray:
    """Which positions are in a valid pixel of any band.

    Parameters
    ----------
    counts : SkyMap
    positions : SkyCoord, shape (n,)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    inside = np.zeros(len(positions), bool)
    for pixels, valid in zip(counts.pixels, counts.valid, strict=True):
        pixel = pixels.pixel_of(positions)
        inside |= (pixel >= 0) & valid.ravel()[pixel]
    return inside


def searched_region(counts: SkyMap) -> str:
    """Region of the valid pixels of a map, as text; empty for an image without a place on the sky.

    Parameters
    ----------
    counts : SkyMap
    """
    if not all(pixels.celestial for pixels in counts.pixels):
        return ""
    if any(
        valid.all() and valid.size == 12 * getattr(pixels, "nside", 0) ** 2
        for pixels, valid in zip(counts.pixels, counts.valid, strict=True)
    ):
        return WHOLE_SKY
    order = _order_of(counts)
    cells = _candidates(counts, order)
    inside = covered(counts, _centres(order, cells))
    return f"{order}/{_ranges(cells[inside])}" if inside.any() else ""


def in_region(region: str, positions: SkyCoord) -> np.ndarray:
    """Which positions are in a region of `searched_region`.

    Parameters
    ----------
    region : str
    positions : SkyCoord, shape (n,)

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        If the text is no region.
    """
    import healpy as hp

    order, low, high = cell_ranges(region)
    here = positions.icrs
    cell = hp.ang2pix(2**order, here.ra.deg, here.dec.deg, lonlat=True, nest=True)
    place = np.searchsorted(low, cell, side="right") - 1
    return (place >= 0) & (cell <= high[place])


def sky_share(region: str) -> float:
    """Share of the whole sky that a region covers."""
    order, low, high = cell_ranges(region)
    return float(np.sum(high - low + 1) / (12 * 4**order))


def _order_of(counts: SkyMap) -> int:
    """Order whose cells are narrow compared with the region."""
    pixels = counts.finest_pixels
    valid = counts.valid[counts.pixels.index(pixels)].ravel()
    area = float(pixel_areas(pixels).ravel()[valid].sum())
    if area <= 0:
        return _COARSEST
    nside = np.sqrt(4 * np.pi / (12 * area)) * _CELLS_A_SIDE
    return int(np.clip(np.ceil(np.log2(nside)), _COARSEST, _FINEST))


def _candidates(counts: SkyMap, order: int) -> np.ndarray:
    """Cells that may be in the region, increasing."""
    import healpy as hp

    if order <= _LISTED:
        return np.arange(12 * 4**order)
    found = []
    for pixels, valid in zip(counts.pixels, counts.valid, strict=True):
        # Sub-pixels so narrow that no cell is between them.
        cell = np.degrees(np.sqrt(4 * np.pi / (12 * 4**order)))
        parts = 2 * pixels.pixel_size.to_value("deg") / cell
        n = 2 ** max(0, int(np.ceil(np.log2(parts))))
        vectors = pixels.subpixel_vectors(np.flatnonzero(valid), n).reshape(-1, 3)
        here = positions_of(vectors, pixels.frame).icrs
        found.append(hp.ang2pix(2**order, here.ra.deg, here.dec.deg, lonlat=True, nest=True))
    return np.unique(np.concatenate(found))


def _centres(order: int, cells: np.ndarray) -> SkyCoord:
    import healpy as hp

    lon, lat = hp.pix2ang(2**order, cells, nest=True, lonlat=True)
    return SkyCoord(lon, lat, unit="deg", frame="icrs")


def _ranges(cells: np.ndarray) -> str:
    """Increasing numbers as ranges."""
    ends = np.flatnonzero(np.diff(cells) > 1)
    low, high = cells[np.append(0, ends + 1)], cells[np.append(ends, len(cells) - 1)]
    return " ".join(
        str(a) if a == b else f"{a}-{b}" for a, b in zip(low.tolist(), high.tolist(), strict=True)
    )


def cell_ranges(region: str) -> tuple[int, np.ndarray, np.ndarray]:
    """Order of a region, and first and last cell of each of its ranges, increasing.

    Raises
    ------
    ValueError
        If the text is no region.
    """
    match = _FORM.fullmatch(region)
    if match is None or int(match[1]) > _FINEST:
        raise ValueError(f"{region[:40]!r} is no region of one order")
    parts = [part.split("-") for part in re.split(r"[\s,]+", match[2])]
    ranges = [(int(part[0]), int(part[-1])) for part in parts]
    if any(not low <= high < 12 * 4 ** int(match[1]) for low, high in ranges):
        raise ValueError(f"{region[:40]!r} has cells that the sky does not have")
    low, high = np.array(ranges).T
    order = np.argsort(low)
    return int(match[1]), low[order], high[order]
