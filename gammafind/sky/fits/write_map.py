"""Maps of any kind on HEALPix pixels, in the form that healpy reads."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits

from gammafind.errors import OptionError, ShapeError
from gammafind.sky.fits.write import healpix_keywords
from gammafind.sky.pixels import UNSEEN, HealpixPixels, same_pixels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.files import atomic_output
from gammafind.utils.version import running_version

_NAME = 72
"""Longest text of a comment card."""


def write_map(sky: SkyMap, path: str | PathLike, *, overwrite: bool = False) -> Path:
    """Write a map as a table of HEALPix pixels, one column a band.

    Parameters
    ----------
    sky : SkyMap
        Of any kind but counts, which `gammafind.sky.fits.write_counts` writes. Pixels that are not
        valid become UNSEEN. Numbers and text of ``meta`` become comments.
    path : path-like
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    OptionError
        If the map holds counts, or is an image.
    ShapeError
        If the bands have different pixels.
    OutputError
        If the file exists, or its directory does not.
    """
    pixels = sky.pixels[0]
    if sky.kind == "counts" or not isinstance(pixels, HealpixPixels):
        raise OptionError(
            f"a map of {sky.kind} on {type(pixels).__name__}",
            remedy="Maps of other quantities than counts are written on HEALPix pixels.",
        )
    if not all(same_pixels(one, pixels) for one in sky.pixels):
        raise ShapeError("the bands have different pixels", remedy="Write each of them apart.")
    columns = [
        fits.Column(
            sky.kind.upper().replace(" ", "_") + (str(i) if sky.n_bands > 1 else ""),
            "D",
            unit=sky.unit.to_string("fits"),
            array=np.where(valid, values, UNSEEN),
        )
        for i, (values, valid) in enumerate(zip(sky.values, sky.valid, strict=True), start=1)
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    table.header.update(healpix_keywords(pixels))
    table.header["CREATOR"] = f"gammafind {running_version()}"
    for i, band in enumerate(sky.bands, start=1):
        low, high = np.sort(band.edges.to_value(u.MeV, u.spectral()))
        table.header[f"EMIN{i}"] = (low, "MeV")
        table.header[f"EMAX{i}"] = (high, "MeV")
    for key, value in sky.meta.items():
        if isinstance(value, str | int | float):
            text = f"{key}: {value}".encode("ascii", "replace").decode()
            table.header.add_comment(text[:_NAME])
    with atomic_output(path, overwrite=overwrite) as temporary:
        fits.HDUList([fits.PrimaryHDU(), table]).writeto(temporary)
    return Path(path)
