"""Single images of a camera in FITS: any type of number, plain, gzipped or tile-compressed."""

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
from gammafind.sky.pixels import PlainPixels, WcsPixels
from gammafind.utils.files import atomic_output

__all__ = ["Frame", "read_frame", "write_frame"]

_NAMES = ("", "PRIMARY", "SCI", "IMAGE", "COMPRESSED_IMAGE")
"""Names of the extension that is taken where a file holds several images."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """One image as its file holds it.

    Attributes
    ----------
    values : ndarray of float32, shape (ny, nx)
        In the unit of the file; 0 where not valid.
    valid : ndarray of bool, shape (ny, nx)
        False where a pixel is NaN, infinite or BLANK.
    pixels : WcsPixels
        `~gammafind.sky.pixels.PlainPixels` where the file has no celestial WCS.
    keywords : mapping of str to object
        Those of the header that were asked for, as far as the file has them.
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
        Side of a pixel where the file has no celestial WCS.
    extension : str or int
        Name, in any case, or number of the HDU. By default the only image of the file or, of
        several, the first that is the primary one or named SCI or IMAGE.
    keywords : iterable of str
        Keywords that are wanted, of the HDU or, where it lacks them, of the primary one.

    Raises
    ------
    FileFormatError
        If there is no image of two axes (more may have the length one), or it is not clear which
        of several is meant.
    InputDataError
        If no pixel holds a number, or all hold the same.
    InputFileError
        If the file cannot be used otherwise; the class names the fault.

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
        blank = hdu.header.get("BLANK") if hdu.header["BITPIX"] > 0 else None
        data = _data(hdu, path)
        values = np.array(data, dtype=np.float32)
        wcs = celestial_wcs(hdu.header, path) if _names_a_sky(hdu.header) else None
        headers = file[0].header, hdu.header
        said = {name: header[name] for header in headers for name in keywords if name in header}
    valid = np.isfinite(values)
    if blank is not None and data.dtype.kind in "iu":
        valid &= data != blank
    _check(values, valid, path)
    if wcs is None:
        warnings.warn(
            f"{path}: no celestial coordinates; what is found has pixel coordinates only",
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
        Of the type that is to be in the file.
    path : path-like
    pixels : WcsPixels
    cards : dict, optional
        Further keywords.
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
    """The image that is meant."""
    listed = ", ".join(f"{i} {hdu.name or '(no name)'}" for i, hdu in enumerate(file))
    candidates = list(file)
    if extension != "":
        wanted = str(extension).strip().upper()
        candidates = [
            hdu for i, hdu in enumerate(file) if wanted in (str(i), str(hdu.name).upper())
        ]
    planes = [hdu for hdu in candidates if hdu.is_image and _is_plane(_shape(hdu))]
    images = [hdu for hdu in planes if len(_shape(hdu)) == 2] or planes
    if not images:
        raise _no_image(candidates, extension, listed, path)
    if extension != "":
        return images[0]
    likely = images if len(images) == 1 else [hdu for hdu in images if hdu.name in _NAMES]
    if not likely or (len(likely) > 1 and likely[0].name != "PRIMARY"):
        raise FileFormatError(
            f"there are {len(images)} images",
            path=path,
            remedy=f"Say which with the option extension of the renderer; the HDUs are {listed}.",
        )
    return likely[0]


def _shape(hdu: fits.ImageHDU) -> tuple[int, ...]:
    """Lengths of the axes, those of rows and columns last."""
    header = hdu.header
    return tuple(header.get(f"NAXIS{i}", 0) for i in range(header.get("NAXIS", 0), 0, -1))


def _is_plane(shape: tuple[int, ...]) -> bool:
    """Whether a shape is one of rows and columns; further axes may have the length one."""
    return len(shape) >= 2 and all(n > 0 for n in shape) and all(n == 1 for n in shape[:-2])


def _no_image(
    candidates: Sequence[fits.ImageHDU], extension: str | int, listed: str, path: Path
) -> FileFormatError:
    """The error of a file without an image, with the shapes of what it holds in its place."""
    named = "" if extension == "" else f" {extension!r}"
    fault, remedy = f"there is no image{named} of two axes", f"The HDUs are {listed}."
    shapes = [str(shape) for hdu in candidates if hdu.is_image and (shape := _shape(hdu))]
    if shapes:
        fault += f", but of the shape {' and '.join(shapes)}"
        remedy = f"Write the plane that is meant to a file of its own. {remedy}"
    return FileFormatError(fault, path=path, remedy=remedy)


def _data(hdu: fits.ImageHDU, path: Path) -> np.ndarray:
    """The one plane of an image."""
    try:
        return hdu.data.reshape(hdu.data.shape[-2:])
    except (OSError, ValueError, RuntimeError) as fault:
        raise FileFormatError(f"the image cannot be read ({fault})", path=path) from fault


def _names_a_sky(header: fits.Header) -> bool:
    """Whether the axes of a header are named at all; pixels, or nothing, are no coordinates."""
    names = [str(header.get(f"CTYPE{i}", "")).strip().upper() for i in (1, 2)]
    return not all(name in ("", "LINEAR", "PIXEL", "X", "Y") for name in names)


def _check(values: np.ndarray, valid: np.ndarray, path: Path) -> None:
    if not valid.any():
        raise InputDataError("no pixel holds a number: all are NaN or BLANK", path=path)
    good = values[valid] if not valid.all() else values
    if good.min() == good.max():
        raise InputDataError(
            f"all pixels hold the same value, {good.min():g}",
            path=path,
            remedy="An image of the sky has noise; is every pixel saturated?",
        )
    if not valid.all():
        warnings.warn(
            f"{path}: {np.count_nonzero(~valid)} of {valid.size} pixels hold no data "
            "(NaN, BLANK) and are left out",
            MaskedPixelsWarning,
            stacklevel=3,
        )
