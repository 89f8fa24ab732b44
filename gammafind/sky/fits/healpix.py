"""HEALPix tables in FITS, in the formats of gtbin, gtexpcube2, healpy and gammapy."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from astropy.io import fits

from gammafind.errors import CoordinateSystemError, FileFormatError, HealpixError, OptionError
from gammafind.sky.fits.raw import RawMap
from gammafind.sky.pixels import HealpixPixels

_FRAMES = {
    **dict.fromkeys(("GAL", "GALACTIC", "G"), "galactic"),
    **dict.fromkeys(("CEL", "CELESTIAL", "C", "EQU", "EQUATORIAL"), "icrs"),
}
_MAX_NSIDE = 8192
"""Pixels of 0.4 arcmin: finer than any gamma-ray map, and small enough for memory."""
_NSIDES = f"NSIDE must be a power of two, at most {_MAX_NSIDE}."
_PIXEL_COLUMNS = ("PIX", "PIXEL")
_NUMBERED = re.compile(r"(?:CHANNEL|ENERGY)(\d+)", re.IGNORECASE)


def find_healpix(file: fits.HDUList) -> fits.BinTableHDU | None:
    """First table of ``file`` that is a HEALPix map according to a keyword or its name."""
    for hdu in file:
        if isinstance(hdu, fits.BinTableHDU) and (
            hdu.header.get("PIXTYPE") == "HEALPIX"
            or "NSIDE" in hdu.header
            or hdu.name in ("SKYMAP", "HPXEXPOSURES")
        ):
            return hdu
    return None


def parse_healpix(
    hdu: fits.BinTableHDU, path: Path, *, frame: str | None, n_channels: int
) -> RawMap:
    """Read the columns of a HEALPix table as maps of the whole sky in RING order.

    Parameters
    ----------
    hdu : BinTableHDU
    path : Path
        For messages.
    frame : str or None
        Frame if the header has no ``COORDSYS``.
    n_channels : int
        Number of channels of a sparse table; the last ones may be empty.

    Raises
    ------
    HealpixError
        If ``NSIDE``, ``ORDERING``, ``INDXSCHM`` and the pixels contradict each other.
    CoordinateSystemError
        If ``COORDSYS`` is unknown, or missing without ``frame``.
    FileFormatError
        If there is no numeric column.
    """
    pixels = HealpixPixels(_nside(hdu, path), _frame(hdu, path, frame))
    nested = _nested(hdu, path)
    names, arrays, present = _layers(hdu, pixels, n_channels, path)
    if nested:
        import healpy as hp

        order = hp.ring2nest(pixels.nside, np.arange(pixels.shape[0]))
        arrays = [array[order] for array in arrays]
        present = present[order]
    units = dict(zip(hdu.columns.names, hdu.columns.units, strict=True))
    return RawMap(names, units.get(names[0]), tuple(arrays), present, pixels)


def _nside(hdu: fits.BinTableHDU, path: Path) -> int:
    nside = hdu.header.get("NSIDE")
    if nside is None:
        raise HealpixError(f"the header of {hdu.name} has no NSIDE", path=path, remedy=_NSIDES)
    try:
        pixels = HealpixPixels(int(nside))
    except (OptionError, TypeError, ValueError):
        raise HealpixError(f"NSIDE is {nside!r}", path=path, remedy=_NSIDES) from None
    if pixels.nside != nside or nside > _MAX_NSIDE:
        raise HealpixError(f"NSIDE is {nside!r}", path=path, remedy=_NSIDES)
    return pixels.nside


def _frame(hdu: fits.BinTableHDU, path: Path, frame: str | None) -> str:
    received = hdu.header.get("COORDSYS")
    accepted = f"COORDSYS may be {', '.join(_FRAMES)}."
    if received is None and frame is None:
        raise CoordinateSystemError(
            f"the header of {hdu.name} has no COORDSYS",
            path=path,
            remedy=f"{accepted} Or set the frame of the map: --frame, or frame in Python.",
        )
    if received is None:
        return frame
    known = _FRAMES.get(str(received).strip().upper())
    if known is None:
        raise CoordinateSystemError(f"COORDSYS is {received!r}", path=path, remedy=accepted)
    return "fk5" if known == "icrs" and hdu.header.get("RADESYS") == "FK5" else known


def _nested(hdu: fits.BinTableHDU, path: Path) -> bool:
    received = hdu.header.get("ORDERING")
    ordering = str(received).strip().upper()
    if ordering not in ("RING", "NESTED", "NEST"):
        raise HealpixError(
            "the header has no ORDERING" if received is None else f"ORDERING is {received!r}",
            path=path,
            remedy="Accepted are RING and NESTED.",
        )
    return ordering != "RING"


def _layers(
    hdu: fits.BinTableHDU, pixels: HealpixPixels, n_channels: int, path: Path
) -> tuple[tuple[str, ...], list[np.ndarray], np.ndarray]:
    """Names, arrays in the order of the file, and the pixels that the file contains."""
    pixel_column = next((n for n in hdu.columns.names if n.upper() in _PIXEL_COLUMNS), None)
    scheme = hdu.header.get("INDXSCHM", "EXPLICIT" if pixel_column else "IMPLICIT")
    scheme = str(scheme).strip().upper()
    if scheme not in ("IMPLICIT", "EXPLICIT", "SPARSE"):
        raise HealpixError(
            f"INDXSCHM is {scheme!r}",
            path=path,
            remedy="Accepted are IMPLICIT, EXPLICIT and SPARSE.",
        )
    if scheme == "IMPLICIT":
        names = _value_columns(hdu, path)
        arrays = [_column(hdu, name) for name in names]
        _check_length(arrays[0].size, pixels, path)
        return names, arrays, np.ones(pixels.shape, dtype=bool)
    if pixel_column is None:
        raise HealpixError(f"INDXSCHM is {scheme} but there is no column PIX", path=path)
    index = _pixel_numbers(hdu, pixel_column, pixels, path)
    if scheme == "SPARSE" and {"CHANNEL", "VALUE"} <= set(hdu.columns.names):
        return _sparse_channels(hdu, index, pixels, n_channels, path)
    names = _value_columns(hdu, path)
    arrays = [_scatter(_column(hdu, name), index, pixels, path) for name in names]
    present = np.full(pixels.shape, scheme == "SPARSE")
    present[index] = True
    return names, arrays, present


def _check_length(length: int, pixels: HealpixPixels, path: Path) -> None:
    if length != pixels.shape[0]:
        raise HealpixError(
            f"NSIDE is {pixels.nside}, which means {pixels.shape[0]} pixels, but the table has "
            f"{length}",
            path=path,
            remedy="A map of part of the sky needs INDXSCHM = EXPLICIT and a column PIX.",
        )


def _value_columns(hdu: fits.BinTableHDU, path: Path) -> tuple[str, ...]:
    """CHANNELn or ENERGYn in the order of n, or otherwise every numeric column."""
    numbered = [name for name in hdu.columns.names if _NUMBERED.fullmatch(name)]
    if numbered:
        return tuple(sorted(numbered, key=lambda name: int(_NUMBERED.fullmatch(name)[1])))
    names = tuple(
        name
        for name in hdu.columns.names
        if name.upper() not in _PIXEL_COLUMNS and hdu.data[name].dtype.kind in "iuf"
    )
    if not names:
        raise FileFormatError(
            f"{hdu.name} has no numeric column",
            path=path,
            remedy="Use columns CHANNEL1, CHANNEL2, ... or one column of any name.",
        )
    return names


def _column(hdu: fits.BinTableHDU, name: str) -> np.ndarray:
    """One column as a flat native array; integers that mean "no data" become NaN."""
    array = np.asarray(hdu.data[name]).ravel()
    column = hdu.columns[name]
    if column.null is not None and array.dtype.kind in "iu":
        # TNULL is the value before scaling; unsigned integers are scaled by TZERO.
        return np.where(array == int(column.null) + int(column.bzero or 0), np.nan, array)
    return array.astype(array.dtype.newbyteorder("="))


def _pixel_numbers(
    hdu: fits.BinTableHDU, name: str, pixels: HealpixPixels, path: Path
) -> np.ndarray:
    index = np.asarray(hdu.data[name]).ravel()
    if index.dtype.kind not in "iu" or np.any(index < 0) or np.any(index >= pixels.shape[0]):
        raise HealpixError(
            f"column {name} has numbers that are not pixels of NSIDE {pixels.nside}", path=path
        )
    return index.astype(np.int64)


def _scatter(
    values: np.ndarray, index: np.ndarray, pixels: HealpixPixels, path: Path
) -> np.ndarray:
    if values.size != index.size:
        raise HealpixError(f"{values.size} values for {index.size} pixel numbers", path=path)
    if np.unique(index).size != index.size:
        raise HealpixError("a pixel occurs twice in the list of pixels", path=path)
    full = np.zeros(pixels.shape, dtype=values.dtype)
    full[index] = values
    return full


def _sparse_channels(
    hdu: fits.BinTableHDU, index: np.ndarray, pixels: HealpixPixels, n_channels: int, path: Path
) -> tuple[tuple[str, ...], list[np.ndarray], np.ndarray]:
    """Rows (PIX, CHANNEL, VALUE), as gammapy writes them; pixels that are not listed are zero."""
    channel, values = _column(hdu, "CHANNEL").astype(int), _column(hdu, "VALUE")
    arrays = [
        _scatter(values[channel == i], index[channel == i], pixels, path)
        for i in range(max(n_channels, channel.max(initial=0) + 1))
    ]
    names = tuple(f"CHANNEL{i}" for i in range(len(arrays)))
    return names, arrays, np.ones(pixels.shape, dtype=bool)
