"""Maps of scores, such as residuals, as HEALPix tables or images."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits

from gammafind.errors import ShapeError
from gammafind.sky.fits.write import healpix_keywords
from gammafind.sky.pixels import UNSEEN, HealpixPixels, same_pixels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.files import atomic_output, check_output
from gammafind.utils.version import running_version


def write_scores(
    layers: Mapping[str, SkyMap], path: str | PathLike, *, overwrite: bool = False
) -> Path:
    """Write maps of one band each to one file.

    HEALPix maps become columns of a table ``SKYMAP`` with 32-bit numbers, images become HDUs.
    Pixels that are not valid become UNSEEN or NaN.

    Parameters
    ----------
    layers : mapping of str to SkyMap
        Maps by the name of the column or HDU, all on the same pixels.
    path : path-like
        Gzipped if it ends in ``.gz``.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    ShapeError
        If the maps have different pixels, or several bands.
    OutputError
        If the file exists, or its directory does not.
    """
    path = check_output(path, overwrite=overwrite)
    first = next(iter(layers.values()))
    pixels = first.pixels[0]
    if not all(one.n_bands == 1 and same_pixels(one.pixels[0], pixels) for one in layers.values()):
        raise ShapeError("the maps have different pixels or several bands")
    if isinstance(pixels, HealpixPixels):
        columns = [
            fits.Column(name, "E", array=_marked(sky, UNSEEN)) for name, sky in layers.items()
        ]
        hdus = [fits.BinTableHDU.from_columns(columns, name="SKYMAP")]
        hdus[0].header.update(healpix_keywords(pixels))
    else:
        header = pixels.wcs.to_header()
        hdus = [
            fits.ImageHDU(_marked(sky, np.nan), header=header, name=name)
            for name, sky in layers.items()
        ]
    low, high = first.bands[0].edges.to_value(u.MeV, u.spectral())
    for hdu in hdus:
        hdu.header["E_MIN"], hdu.header["E_MAX"] = (low, "[MeV]"), (high, "[MeV]")
    primary = fits.PrimaryHDU()
    primary.header["CREATOR"] = f"gammafind {running_version()}"
    with atomic_output(path, overwrite=overwrite) as temporary:
        fits.HDUList([primary, *hdus]).writeto(temporary)
    return path


def _marked(sky: SkyMap, mark: float) -> np.ndarray:
    return np.where(sky.valid[0], sky.values[0], mark).astype(np.float32)
