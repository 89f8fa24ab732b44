"""Exposure cubes in the format of gtexpcube2, for gammapy and the Fermi tools."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import ShapeError
from gammafind.sky.fits.write import healpix_keywords
from gammafind.sky.pixels import HealpixPixels
from gammafind.units import as_value
from gammafind.utils.files import atomic_output
from gammafind.utils.version import running_version


def write_exposure(
    path: str | PathLike,
    pixels: HealpixPixels,
    energies: Quantity,
    values: np.ndarray,
    *,
    cards: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write an exposure at energies to ``HPXEXPOSURES`` and ``ENERGIES``.

    Parameters
    ----------
    path : path-like
    pixels : HealpixPixels
    energies : Quantity, shape (n,)
        Increasing.
    values : ndarray, shape (n, n_pixels)
        In cm2 s.
    cards : mapping, optional
        Keywords of the table.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    ShapeError
        If the numbers of energies or pixels differ from those of the values.
    OutputError
        If the file exists, or its directory does not.
    """
    mev = np.atleast_1d(as_value(energies, u.MeV, name="energies"))
    if values.shape != (len(mev), *pixels.shape):
        raise ShapeError(
            f"exposures of shape {values.shape} for {len(mev)} energies and "
            f"{pixels.shape[0]} pixels"
        )
    columns = [
        fits.Column(f"ENERGY{i}", "E", unit="cm2 s", array=layer)
        for i, layer in enumerate(values, start=1)
    ]
    table = fits.BinTableHDU.from_columns(columns, name="HPXEXPOSURES")
    table.header.update(healpix_keywords(pixels))
    table.header.update(cards or {})
    column = fits.Column("Energy", "D", unit="MeV", array=mev)
    nodes = fits.BinTableHDU.from_columns([column], name="ENERGIES")
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="GLAST", INSTRUME="LAT", CREATOR=running_version())
    with atomic_output(path, overwrite=overwrite) as temporary:
        fits.HDUList([primary, table, nodes]).writeto(temporary)
    return Path(path)
