"""Stored values of images and table columns, with "no data" as NaN."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from gammafind.errors import FileFormatError
from gammafind.utils.limits import check_claim
from gammafind.utils.reading import reading


def image_data(hdu: fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU, path: Path) -> np.ndarray:
    """Values of an image, scaled, in native byte order.

    Pixels of the value ``BLANK`` (``ZBLANK`` of a compressed image) are NaN, whatever
    ``BSCALE`` and ``BZERO`` are; an image without such pixels keeps its number type.

    Raises
    ------
    FileFormatError
        If the values cannot be read, or are too many for the memory.
    """
    header = hdu.header
    check_claim(image_shape(hdu), hdu.name or "the image", path)
    blank = header.get("BLANK", header.get("ZBLANK")) if header.get("BITPIX", 0) > 0 else None
    zero = header.get("BZERO", 0)
    with reading(path, "the image cannot be read"):
        data = np.asarray(hdu.data)
        if isinstance(blank, int) and data.dtype.kind in "iu":
            # astropy marks BLANK except in integers that BZERO makes signed or unsigned.
            missing = data == blank + int(zero)
            return np.where(missing, np.nan, data) if missing.any() else _native(data)
    return _native(data)


def image_shape(hdu: fits.PrimaryHDU | fits.ImageHDU) -> tuple[int, ...]:
    """Lengths of the axes of an image; rows and columns are the last two."""
    header = hdu.header
    return tuple(header.get(f"NAXIS{i}", 0) for i in range(header.get("NAXIS", 0), 0, -1))


def column_data(hdu: fits.BinTableHDU, name: str, path: Path) -> np.ndarray:
    """Values of a column, flat, scaled, in native byte order.

    Values of ``TNULL`` are NaN, whatever ``TSCAL`` and ``TZERO`` are.

    Raises
    ------
    FileFormatError
        If they cannot be read, or are no real numbers.
    """
    with reading(path, f"column {name} cannot be read"):
        values = np.asarray(hdu.data[name])
        null = hdu.columns[name].null
        stored = np.asarray(hdu.data.view(np.ndarray)[name]) if null is not None else None
    if values.dtype.kind not in "iufb":
        raise FileFormatError(
            f"column {name} has values of the type {values.dtype.name}",
            path=path,
            remedy="Real numbers are needed.",
        )
    values = values.ravel()
    if stored is not None and stored.dtype.kind in "iu":
        missing = stored.ravel() == null
        if missing.any():
            return np.where(missing, np.nan, values)
    return _native(values)


def _native(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder("="), copy=False)
