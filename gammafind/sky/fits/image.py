"""Images and cubes with a celestial WCS in FITS: gtbin CMAP and CCUBE, gtexpcube2 and others."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS, WcsError
from astropy.wcs.utils import wcs_to_celestial_frame

from gammafind.errors import AssumptionWarning, CoordinateSystemError, FileFormatError
from gammafind.sky.fits.raw import RawMap
from gammafind.sky.fits.stored import column_data, image_data, image_shape
from gammafind.sky.pixels import CONVEX, FRAMES, WcsPixels
from gammafind.utils.limits import check_claim

_AXES = {"RA": "DEC", "GLON": "GLAT"}
"""Accepted longitudes and latitudes; astropy mistakes others, such as ecliptic ones, for these."""
_NUMBERS = re.compile(r"(CRVAL|CRPIX|CDELT|CROTA|CD[12]_|PC[12]_)[12]|LONPOLE|LATPOLE")
"""Numeric keywords of a WCS; wcslib ignores those with another type of value."""
_POLYNOMIAL = re.compile(r"[AB]P?_(ORDER|DMAX|\d+_\d+)")
_SAME = 0.5
"""Pixels between a position and that of the same place in the projection: another pixel."""
_FAR = 1e10
"""Largest pixel or angle of a reference: positions further away are not known to a pixel."""
_SIZES = (1e-7, 90.0)
"""Sides of pixels in degrees, from those of the sharpest cameras on."""


def parse_image(hdu: fits.PrimaryHDU | fits.ImageHDU, path: Path) -> RawMap:
    """Read the planes of an image or a cube as maps.

    Pixels outside the projection (the corners of an all-sky Aitoff map), and those that repeat a
    part of the sky (columns of a plate-carree map beyond 360 deg), count as not covered.

    Raises
    ------
    FileFormatError
        If several axes beyond the first two have more than one plane, or the WCS is inconsistent.
    CoordinateSystemError
        If the first two axes are not celestial, or astropy does not know their frame.
    """
    shape = image_shape(hdu)
    if sum(n > 1 for n in shape[:-2]) > 1:
        raise FileFormatError(
            f"the image has {len(shape)} axes, of {' x '.join(map(str, shape[::-1]))} pixels",
            path=path,
            remedy="Accepted are images (2 axes) and cubes (3 axes, energy last).",
        )
    data = image_data(hdu, path)
    return _raw(hdu, data.reshape(-1, *data.shape[-2:]), path)


def parse_pixel_list(hdu: fits.BinTableHDU, path: Path, *, n_channels: int) -> RawMap:
    """Read an image of which a table lists the pixels that are not zero, as gammapy writes it.

    Raises
    ------
    FileFormatError
        If its shape is missing, a pixel is outside it or occurs twice, or the WCS is inconsistent.
    """
    lengths = [int(n) for n in re.findall(r"\d+", str(hdu.header.get("WCSSHAPE", "")))]
    if len(lengths) < 2:
        raise FileFormatError(
            "the list of pixels has no WCSSHAPE, so the size of the image is unknown", path=path
        )
    shape = (lengths[1], lengths[0])
    check_claim((n_channels, *shape), hdu.name, path, held=len(hdu.data))
    planes = np.zeros((n_channels, shape[0] * shape[1]))
    names = hdu.columns.names
    pixel, value = (column_data(hdu, name, path) for name in ("PIX", "VALUE"))
    channel = column_data(hdu, "CHANNEL", path) if "CHANNEL" in names else np.zeros_like(pixel)
    key = channel * float(planes.shape[1]) + pixel
    inside = (pixel >= 0) & (pixel < planes.shape[1]) & (channel >= 0) & (channel < n_channels)
    if not inside.all() or len(np.unique(key)) < len(key):
        raise FileFormatError("a pixel of the list is outside the image, or twice", path=path)
    planes[channel.astype(int), pixel.astype(int)] = value
    return _raw(hdu, planes.reshape(n_channels, *shape), path)


def _raw(hdu: fits.BinTableHDU | fits.ImageHDU, planes: np.ndarray, path: Path) -> RawMap:
    wcs = _centred(celestial_wcs(hdu.header, path), planes.shape[1:])
    pixels = WcsPixels(wcs, planes.shape[1:])
    names = tuple(f"plane {i}" for i in range(1, len(planes) + 1))
    return RawMap(names, "", tuple(planes), _seen_once(pixels), pixels)


def _seen_once(pixels: WcsPixels) -> np.ndarray:
    """Pixels whole on the sky, without those whose position belongs to another pixel."""
    on_sky = pixels.on_sky
    if pixels.wcs.wcs.ctype[0].endswith(CONVEX):
        return on_sky
    corner = pixels.at(*(np.indices(np.add(pixels.shape, 1)) - 0.5)[::-1]).any(axis=-1)
    on_sky = on_sky & corner[1:, 1:] & corner[:-1, :-1] & corner[1:, :-1] & corner[:-1, 1:]
    y, x = np.indices(pixels.shape)
    back = pixels.wcs.wcs_world2pix(*pixels.wcs.wcs_pix2world(x[on_sky], y[on_sky], 0), 0)
    once = on_sky.copy()
    once[on_sky] = np.hypot(back[0] - x[on_sky], back[1] - y[on_sky]) < _SAME
    return once


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
        wcs = WCS(_without_stray_distortion(header, path), naxis=2)
        wcs.wcs.set()
    except (WcsError, ValueError, TypeError, MemoryError) as fault:
        raise FileFormatError(f"the WCS cannot be used ({fault})", path=path) from fault
    remedy = "The first two axes must be RA and DEC or GLON and GLAT, with a projection."
    if not wcs.has_celestial or _AXES.get(wcs.wcs.lngtyp) != wcs.wcs.lattyp:
        raise CoordinateSystemError(
            f"the image has the axes {list(wcs.wcs.ctype)}", path=path, remedy=remedy
        )
    near = np.abs([wcs.wcs.crpix, wcs.wcs.crval]) < _FAR
    if not near.all():
        raise FileFormatError(
            f"the reference pixel is {wcs.wcs.crpix.tolist()}, at {wcs.wcs.crval.tolist()} deg",
            path=path,
            remedy="Correct CRPIX and CRVAL in the header.",
        )
    sizes = np.sqrt(np.sum(wcs.pixel_scale_matrix**2, axis=0))
    if not np.all((sizes >= _SIZES[0]) & (sizes <= _SIZES[1])):
        raise FileFormatError(
            f"the pixels are {sizes[0]:.3g} by {sizes[1]:.3g} deg wide",
            path=path,
            remedy="Correct CDELT, CD and CUNIT in the header.",
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


def _without_stray_distortion(header: fits.Header, path: Path) -> fits.Header:
    """Header without SIP polynomials that CTYPE does not name.

    By the convention the suffix ``-SIP`` says that they hold. Programs that resample an image
    drop it, and may leave the polynomials behind.
    """
    stray = [key for key in header if _POLYNOMIAL.fullmatch(key)]
    if not stray or any("-SIP" in str(header.get(f"CTYPE{axis}", "")) for axis in (1, 2)):
        return header
    warnings.warn(
        f"{path}: the distortion (SIP) in the header is left out, since CTYPE1 is "
        f"{header.get('CTYPE1')!r}; if it holds, CTYPE must end with -SIP",
        AssumptionWarning,
        stacklevel=2,
    )
    kept = header.copy()
    for key in stray:
        del kept[key]
    return kept


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
