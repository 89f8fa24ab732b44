"""Exposure cubes in the format of gtexpcube2, for gammapy and the Fermi tools."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import ShapeError
from gammafind.sky.fits.write import healpix_keywords
from gammafind.sky.pixels import UNSEEN, HealpixPixels
from gammafind.units import as_value
from gammafind.utils.files import atomic_output
from gammafind.utils.version import running_version


@dataclass(frozen=True, eq=False)
class ExposureCube:
    """Exposure of the whole sky at some energies.

    Parameters
    ----------
    pixels : HealpixPixels
    energies : Quantity, shape (n,)
        Increasing.
    values : ndarray, shape (n, n_pixels)
        In cm2 s; NaN where it is not known.

    Raises
    ------
    ShapeError
        If the numbers of energies or pixels differ from those of the values.
    """

    pixels: HealpixPixels
    energies: Quantity
    values: np.ndarray

    def __post_init__(self) -> None:
        shape = (np.size(self.energies), *self.pixels.shape)
        if self.values.shape != shape:
            raise ShapeError(
                f"exposures of shape {self.values.shape}, where energies and pixels are {shape}"
            )


def write_exposure(cube: ExposureCube, path: str | PathLike, *, overwrite: bool = False) -> Path:
    """Write an exposure to ``HPXEXPOSURES`` and ``ENERGIES``, as gtexpcube2 does.

    Parameters
    ----------
    cube : ExposureCube
    path : path-like
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the file exists, or its directory does not.
    """
    values = np.where(np.isfinite(cube.values), cube.values, UNSEEN)
    columns = [
        fits.Column(f"ENERGY{i}", "E", unit="cm2 s", array=layer)
        for i, layer in enumerate(values, start=1)
    ]
    table = fits.BinTableHDU.from_columns(columns, name="HPXEXPOSURES")
    table.header.update(healpix_keywords(cube.pixels), BUNIT="cm2 s")
    column = fits.Column(
        "Energy", "D", unit="MeV", array=as_value(cube.energies, u.MeV, name="energies")
    )
    nodes = fits.BinTableHDU.from_columns([column], name="ENERGIES")
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="GLAST", INSTRUME="LAT", CREATOR=running_version())
    with atomic_output(path, overwrite=overwrite) as temporary:
        fits.HDUList([primary, table, nodes]).writeto(temporary)
    return Path(path)
