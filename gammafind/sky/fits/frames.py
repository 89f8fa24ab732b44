"""Single images of a camera in FITS: any number type, plain, gzipped or tile-compressed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import (
    FileFormatError,
    InputDataError,
    MaskedPixelsWarning,
    NoWcsWarning,
)
from gammafind.sky.fits.image import celestial_wcs
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.fits.stored import image_data, image_shape
from gammafind.sky.pixels import PlainPixels, WcsPixels
from gammafind.utils.files import atomic_output

_NAMES = ("", "PRIMARY", "SCI", "IMAGE", "COMPRESSED_IMAGE")
"""Accepted names of the extension if a file contains several images."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """One image, as stored in its file.

    Attributes
    ----------
    values : ndarray of float32, shape (ny, nx)
        In the unit of the file; 0 where not valid.
    valid : ndarray of bool, shape (ny, nx)
        False where a pixel is NaN, infinite or BLANK.
    pixels : WcsPixels
        `~gammafind.sky.pixels.PlainPixels` if the file has no celestial WCS.
    keywords : mapping of str to object
        The requested header keywords that the file contains.
    """

    values: np.ndarray
    valid: np.ndarray
    pixels: WcsPixels
    keywords: Mapping[str, object] = field(default_factory=dict)


def read_frame(
    path: str | PathLike,
    *,
    pixel_size: Quantity,
    extension: str | int = "",
    keywords: Iterable[str] = (),
) -> Frame:
    """Read an image.

    Parameters
    ----------
    path : path-like
        Plain, gzipped, or compressed by fpack.
    pixel_size : Quantity
        Side of a pixel if the file has no celestial WCS.
    extension : str or int
        Name (upper or lower case) or number of the HDU. By default the only image of the file; if
        there are several, the first that is the primary HDU or is named SCI or IMAGE.
    keywords : iterable of str
        Keywords to read from the HDU, or from the primary HDU if they are missing there.

    Raises
    ------
    FileFormatError
        If there is no image of two axes (further axes may have length one), or several images and
        none is the default.
    InputDataError
        If no pixel has a number, or all pixels have the same value.
    InputFileError
        If the file cannot be used for another reason; the subclass describes the fault.

    Warns
    -----
    MaskedPixelsWarning
        If pixels are NaN, infinite or BLANK.
    NoWcsWarning
        If the file has no celestial WCS.
    """
    path = Path(path)
    with open_fits(path, what="an image in FITS") as file:
        hdu = _choose(file, extension, path)
        data = image_data(hdu, path)
        values = np.array(data.reshape(data.shape[-2:]), dtype=np.float32)
        wcs = celestial_wcs(hdu.header, path) if _names_a_sky(hdu.header) else None
        headers = file[0].header, hdu.header
        said = {name: header[name] for header in headers for name in keywords if name in header}
    valid = np.isfinite(values)
    _check(values, valid, path)
    if wcs is None:
        warnings.warn(
            f"{path}: no celestial coordinates; detections have pixel coordinates only",
            NoWcsWarning,
            stacklevel=2,
        )
        pixels = PlainPixels.of(values.shape, pixel_size)
    else:
        pixels = WcsPixels(wcs, values.shape)
    values[~valid] = 0
    return Frame(values=values, valid=valid, pixels=pixels, keywords=said)


def write_frame(
    values: np.ndarray,
    path: str | PathLike,
    *,
    pixels: WcsPixels,
    cards: dict[str, object] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write an image with its WCS; masks, unsigned bytes, are compressed without loss.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
        Image, in the number type of the file.
    path : path-like
    pixels : WcsPixels
    cards : dict, optional
        Additional header keywords.
    overwrite : bool
        Whether a file that exists may be replaced.
    """
    header = pixels.wcs.to_header(relax=True) if pixels.celestial else fits.Header()
    header.update(cards or {})
    if values.dtype == np.uint8:
        hdus = [fits.PrimaryHDU(), fits.CompImageHDU(values, header=header, name="MASK")]
    else:
        hdus = [fits.PrimaryHDU(values, header=header)]
    with atomic_output(path, overwrite=overwrite) as temporary:
        fits.HDUList(hdus).writeto(temporary)
    return Path(path)


def _choose(file: fits.HDUList, extension: str | int, path: Path) -> fits.ImageHDU:
    """The HDU of the chosen image."""
    listed = ", ".join(f"{i} {hdu.name or '(no name)'}" for i, hdu in enumerate(file))
    candidates = list(file)
    if extension != "":
        wanted = str(extension).strip().upper()
        candidates = [
            hdu for i, hdu in enumerate(file) if wanted in (str(i), str(hdu.name).upper())
        ]
    planes = [hdu for hdu in candidates if hdu.is_image and _is_plane(image_shape(hdu))]
    images = [hdu for hdu in planes if len(image_shape(hdu)) == 2] or planes
    if not images:
        raise _no_image(candidates, extension, listed, path)
    if extension != "":
        return images[0]
    likely = images if len(images) == 1 else [hdu for hdu in images if hdu.name in _NAMES]
    if not likely or (len(likely) > 1 and likely[0].name != "PRIMARY"):
        raise FileFormatError(
            f"there are {len(images)} images",
            path=path,
            remedy=f"Choose one with the option extension of the renderer; the HDUs are {listed}.",
        )
    return likely[0]


def _is_plane(shape: tuple[int, ...]) -> bool:
    """Whether a shape has only rows and columns; further axes may have length one."""
    return len(shape) >= 2 and all(n > 0 for n in shape) and all(n == 1 for n in shape[:-2])


def _no_image(
    candidates: Sequence[fits.ImageHDU], extension: str | int, listed: str, path: Path
) -> FileFormatError:
    """The error for a file without an image; it lists the shapes of the HDUs."""
    named = "" if extension == "" else f" {extension!r}"
    fault, remedy = f"there is no image{named} of two axes", f"The HDUs are {listed}."
    shapes = [str(shape) for hdu in candidates if hdu.is_image and (shape := image_shape(hdu))]
    if shapes:
        fault += f", but of the shape {' and '.join(shapes)}"
        remedy = f"Write the plane to a separate file. {remedy}"
    return FileFormatError(fault, path=path, remedy=remedy)


def _names_a_sky(header: fits.Header) -> bool:
    """Whether the axes of a header have the names of coordinates, not of pixels."""
    names = [str(header.get(f"CTYPE{i}", "")).strip().upper() for i in (1, 2)]
    return not all(name in ("", "LINEAR", "PIXEL", "X", "Y") for name in names)


def _check(values: np.ndarray, valid: np.ndarray, path: Path) -> None:
    if not valid.any():
        raise InputDataError("no pixel has a number: all are NaN or BLANK", path=path)
    good = values[valid] if not valid.all() else values
    if good.min() == good.max():
        raise InputDataError(
            f"all pixels have the same value, {good.min():g}",
            path=path,
            remedy="An image of the sky has noise; is every pixel saturated?",
        )
    if not valid.all():
        warnings.warn(
            f"{path}: {np.count_nonzero(~valid)} of {valid.size} pixels have no data (NaN, BLANK) "
            "and are ignored",
            MaskedPixelsWarning,
            stacklevel=3,
        )
