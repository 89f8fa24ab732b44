"""Images and cubes with a celestial WCS in FITS: gtbin CMAP and CCUBE, gtexpcube2, any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, WcsError

from gammafind.errors import CoordinateSystemError, FileFormatError
from gammafind.sky.fits.raw import RawMap
from gammafind.sky.pixels import WcsPixels

__all__ = ["find_image", "parse_image"]


def find_image(file: fits.HDUList) -> fits.PrimaryHDU | fits.ImageHDU | None:
    """First image of ``file`` with at least two axes."""
    for hdu in file:
        if hdu.is_image and hdu.header["NAXIS"] >= 2:
            return hdu
    return None


def parse_image(hdu: fits.PrimaryHDU | fits.ImageHDU, path: Path) -> RawMap:
    """Take the planes of an image or a cube as maps.

    Pixels outside the projection (the corners of an all-sky Aitoff map) count as not covered.

    Raises
    ------
    FileFormatError
        If the image has more than three axes, or its WCS contradicts itself.
    CoordinateSystemError
        If the first two axes are not celestial, in a frame that astropy knows.
    """
    data = np.asarray(hdu.data)
    if data.ndim > 3:
        raise FileFormatError(
            f"the image has {data.ndim} axes",
            path=path,
            remedy="Accepted are images (2 axes) and cubes (3 axes, energy last).",
        )
    planes = data.reshape(-1, *data.shape[-2:])
    planes = planes.astype(planes.dtype.newbyteorder("="))
    pixels = WcsPixels(_celestial_wcs(hdu.header, path), planes.shape[1:])
    names = tuple(f"plane {i}" for i in range(1, len(planes) + 1))
    return RawMap(names, hdu.header.get("BUNIT"), tuple(planes), _on_sky(pixels), pixels)


def _celestial_wcs(header: fits.Header, path: Path) -> WCS:
    try:
        wcs = WCS(header, naxis=2)
    except (WcsError, ValueError, TypeError, MemoryError) as fault:
        raise FileFormatError(f"the WCS cannot be used ({fault})", path=path) from fault
    remedy = "The first two axes must be RA and DEC or GLON and GLAT, with a projection."
    if not wcs.has_celestial:
        raise CoordinateSystemError(
            f"the image has the axes {list(wcs.wcs.ctype)}", path=path, remedy=remedy
        )
    try:
        WcsPixels(wcs, (1, 1)).frame  # noqa: B018
    except ValueError as fault:
        raise CoordinateSystemError(f"unknown frame ({fault})", path=path, remedy=remedy) from None
    return wcs


def _on_sky(pixels: WcsPixels) -> np.ndarray:
    """Tell which pixel centres lie on the sky, shape of ``pixels``."""
    row, column = np.indices(pixels.shape)
    lon, lat = pixels.wcs.wcs_pix2world(column.ravel(), row.ravel(), 0)
    return (np.isfinite(lon) & np.isfinite(lat)).reshape(pixels.shape)
