"""Images and cubes with a celestial WCS in FITS: gtbin CMAP and CCUBE, gtexpcube2 and others."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, WcsError
from astropy.wcs.utils import wcs_to_celestial_frame

from gammafind.errors import CoordinateSystemError, FileFormatError
from gammafind.sky.fits.raw import RawMap
from gammafind.sky.pixels import FRAMES, WcsPixels

_AXES = {"RA": "DEC", "GLON": "GLAT"}
"""Accepted longitudes and latitudes; astropy mistakes others, such as ecliptic ones, for these."""
_NUMBERS = re.compile(r"(CRVAL|CRPIX|CDELT|CROTA|CD[12]_|PC[12]_)[12]|LONPOLE|LATPOLE")
"""Numeric keywords of a WCS; wcslib ignores those with another type of value."""


def find_image(file: fits.HDUList) -> fits.PrimaryHDU | fits.ImageHDU | None:
    """First image of ``file`` with at least two axes."""
    for hdu in file:
        if hdu.is_image and hdu.header["NAXIS"] >= 2:
            return hdu
    return None


def parse_image(hdu: fits.PrimaryHDU | fits.ImageHDU, path: Path) -> RawMap:
    """Read the planes of an image or a cube as maps.

    Pixels outside the projection (the corners of an all-sky Aitoff map) count as not covered.

    Raises
    ------
    FileFormatError
        If the image has more than three axes, or its WCS is inconsistent.
    CoordinateSystemError
        If the first two axes are not celestial, or astropy does not know their frame.
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
    wcs = _centred(celestial_wcs(hdu.header, path), planes.shape[1:])
    pixels = WcsPixels(wcs, planes.shape[1:])
    names = tuple(f"plane {i}" for i in range(1, len(planes) + 1))
    return RawMap(names, hdu.header.get("BUNIT"), tuple(planes), pixels.on_sky, pixels)


def celestial_wcs(header: fits.Header, path: Path) -> WCS:
    """WCS of a header whose first two axes are on the sky.

    Raises
    ------
    FileFormatError
        If it is inconsistent, or has text instead of a number.
    CoordinateSystemError
        If the axes are not RA and DEC or GLON and GLAT, or their frame is not accepted.
    """
    _check_numbers(header, path)
    try:
        wcs = WCS(header, naxis=2)
        wcs.wcs.set()
    except (WcsError, ValueError, TypeError, MemoryError) as fault:
        raise FileFormatError(f"the WCS cannot be used ({fault})", path=path) from fault
    remedy = "The first two axes must be RA and DEC or GLON and GLAT, with a projection."
    if not wcs.has_celestial or _AXES.get(wcs.wcs.lngtyp) != wcs.wcs.lattyp:
        raise CoordinateSystemError(
            f"the image has the axes {list(wcs.wcs.ctype)}", path=path, remedy=remedy
        )
    try:
        frame = wcs_to_celestial_frame(wcs)
    except ValueError as fault:
        raise CoordinateSystemError(f"unknown frame ({fault})", path=path, remedy=remedy) from None
    if frame.name not in FRAMES or not frame.is_equivalent_frame(type(frame)()):
        raise CoordinateSystemError(
            f"the frame is {frame.name}, EQUINOX = {header.get('EQUINOX')}",
            path=path,
            remedy="Accepted are ICRS, FK5 of EQUINOX = 2000, and Galactic coordinates.",
        )
    return wcs


def _check_numbers(header: fits.Header, path: Path) -> None:
    for key in filter(_NUMBERS.fullmatch, header):
        value = header[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            shown = repr(value) if isinstance(value, str | bool) else "without a value"
            raise FileFormatError(
                f"the WCS cannot be used: {key} is {shown}",
                path=path,
                remedy="It must be a number: correct the header.",
            )


def _centred(wcs: WCS, shape: tuple[int, int]) -> WCS:
    """Move the reference point of a plate-carree image along the equator to the middle column.

    The positions do not change, except for columns more than 180 deg from the reference point,
    which wcslib treats as outside the projection.
    """
    wcs.wcs.set()
    axis = wcs.wcs.lng
    steps = wcs.pixel_scale_matrix[axis]
    straight = steps[1 - axis] == 0 and wcs.wcs.crval[1 - axis] == 0 and wcs.wcs.lonpole == 0
    if not (straight and wcs.wcs.ctype[axis].endswith("-CAR")):
        return wcs
    moved = wcs.deepcopy()
    middle = (shape[1 - axis] + 1) / 2
    moved.wcs.crval = [
        (value + (middle - wcs.wcs.crpix[axis]) * steps[axis]) % 360 if i == axis else value
        for i, value in enumerate(wcs.wcs.crval)
    ]
    moved.wcs.crpix = [middle if i == axis else at for i, at in enumerate(wcs.wcs.crpix)]
    return moved
