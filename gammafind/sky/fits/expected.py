"""Maps of expected counts in FITS: one file per component and band, one column per epoch."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits

from gammafind.errors import ShapeError
from gammafind.sky.bands import Band
from gammafind.sky.fits.write import healpix_keywords
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.utils.files import atomic_output
from gammafind.utils.version import running_version

_PIXELS_AT_ONCE = 1 << 20
"""Rows per block: balances the number of writes and the memory for copies."""


def write_expected(
    maps: Mapping[str, np.ndarray],
    path: str | PathLike,
    *,
    band: Band,
    pixels: Pixels,
    component: str,
    overwrite: bool = False,
) -> Path:
    """Write the expected counts of one component in one band.

    HEALPix maps become the columns of a table ``SKYMAP`` with one row per pixel, in the format of
    healpy. Images become the planes of a cube. Values are in single precision.

    Parameters
    ----------
    maps : mapping of str to ndarray
        Maps by the name of the epoch, each with the shape of ``pixels``.
    path : path-like
    band : Band
    pixels : Pixels
    component : str
        Name of a source class or a background component.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    ShapeError
        If the shape of a map is not that of ``pixels``.
    OutputError
        If the file exists, or its directory does not.
    """
    for name, values in maps.items():
        if np.shape(values) != pixels.shape:
            raise ShapeError(f"{name} has shape {np.shape(values)} on pixels of {pixels.shape}")
    with atomic_output(path, overwrite=overwrite) as temporary:
        if isinstance(pixels, HealpixPixels):
            _write_table(maps, temporary, pixels, _cards(band, component))
        else:
            cube = np.stack([np.asarray(values, np.float32) for values in maps.values()])
            header = pixels.wcs.to_header()
            header.update(_cards(band, component))
            for number, name in enumerate(maps, start=1):
                header[f"EPOCH{number}"] = name
            fits.PrimaryHDU(cube, header=header).writeto(temporary)
    return Path(path)


def _cards(band: Band, component: str) -> dict[str, object]:
    low, high = np.sort(band.edges.to_value(u.keV, u.spectral()))
    return {
        "CREATOR": f"gammafind {running_version()}",
        "COMPONEN": (component, "component of the sky"),
        "BAND": (band.name, "energy band"),
        "E_MIN": (low, "[keV] lower edge of the band"),
        "E_MAX": (high, "[keV] upper edge of the band"),
        "CONTENT": ("expected counts", "mean of a Poisson distribution"),
    }


def _write_table(
    maps: Mapping[str, np.ndarray], path: Path, pixels: HealpixPixels, cards: Mapping[str, object]
) -> None:
    """Write rows in blocks, to avoid a second copy of the maps in memory."""
    n_pixels = pixels.shape[0]
    header = _table_header(list(maps), pixels, cards)
    primary = fits.Header([("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 0), ("EXTEND", True)])
    with path.open("wb") as stream:
        stream.write(primary.tostring().encode("ascii"))
        stream.write(header.tostring().encode("ascii"))
        for start in range(0, n_pixels, _PIXELS_AT_ONCE):
            block = [values[start : start + _PIXELS_AT_ONCE] for values in maps.values()]
            stream.write(np.stack(block, axis=1).astype(">f4").tobytes())
        stream.write(b"\0" * (-4 * len(maps) * n_pixels % 2880))


def _table_header(
    names: list[str], pixels: HealpixPixels, cards: Mapping[str, object]
) -> fits.Header:
    columns = [fits.Column(name, "E", unit="ct") for name in names]
    header = fits.BinTableHDU.from_columns(columns, name="SKYMAP").header
    header["NAXIS2"] = pixels.shape[0]
    header.update(healpix_keywords(pixels))
    header.update(cards)
    return header
