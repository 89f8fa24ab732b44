"""A FITS map of any accepted layout, as arrays on pixels with energies."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import (
    EnergyEdgesError,
    FileFormatError,
    InputDataError,
    MaskedPixelsWarning,
)
from gammafind.sky.fits.energies import energy_bins, energy_nodes
from gammafind.sky.fits.healpix import find_healpix, parse_healpix
from gammafind.sky.fits.image import find_image, parse_image
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.fits.raw import RawMap
from gammafind.sky.fits.selections import selections
from gammafind.sky.pixels import Pixels

_UNSEEN = -1.6375e30
"""Value of pixels without data in healpy."""
_ACCEPTED = "a HEALPix table (gtbin, gtexpcube2, healpy) or an image with a celestial WCS"


@dataclass(frozen=True, eq=False, kw_only=True)
class Layers:
    """The maps of one file: one per channel, column or plane.

    Parameters
    ----------
    path : Path
    names : tuple of str
    unit : str or None
        Unit as written in the file.
    values : tuple of ndarray
        One array per layer, with the shape of ``pixels``.
    valid : tuple of ndarray of bool
        False if a pixel is not covered or has no number.
    pixels : Pixels
        RING order if HEALPix.
    bins : Quantity or None
        Energy edges from ``EBOUNDS``, shape (n, 2).
    nodes : Quantity or None
        Energies from ``ENERGIES``, shape (n,).
    selections : tuple of str
        Cuts on the photons that the header records.
    """

    path: Path
    names: tuple[str, ...]
    unit: str | None
    values: tuple[np.ndarray, ...]
    valid: tuple[np.ndarray, ...]
    pixels: Pixels
    bins: Quantity | None
    nodes: Quantity | None
    selections: tuple[str, ...]


def read_layers(path: str | PathLike, *, frame: str | None = None) -> Layers:
    """Read every map of a file.

    HEALPix tables may be in RING or NESTED order and contain all pixels (``IMPLICIT``) or some
    (``EXPLICIT``, ``SPARSE``); images and cubes need a celestial WCS.

    Parameters
    ----------
    path : path-like
        Plain or gzipped.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of a HEALPix map if the header has no ``COORDSYS``.

    Returns
    -------
    Layers

    Raises
    ------
    InputFileError
        If the file cannot be used; the subclass describes the fault.

    Warns
    -----
    MaskedPixelsWarning
        If pixels are NaN, UNSEEN or null.
    """
    path = Path(path)
    with open_fits(path, what=_ACCEPTED) as file:
        bins, nodes = energy_bins(file, path), energy_nodes(file, path)
        hdu, raw = _parse(file, path, frame, 1 if bins is None else len(bins))
        cuts = selections(hdu.header) or selections(file[0].header)
    _check_number(raw, "EBOUNDS", bins, path)
    _check_number(raw, "ENERGIES", nodes, path)
    return Layers(
        path=path,
        names=raw.names,
        unit=raw.unit,
        values=raw.arrays,
        valid=_valid(raw, path),
        pixels=raw.pixels,
        bins=bins,
        nodes=nodes,
        selections=cuts,
    )


def _parse(
    file: fits.HDUList, path: Path, frame: str | None, n_channels: int
) -> tuple[fits.BinTableHDU | fits.PrimaryHDU | fits.ImageHDU, RawMap]:
    table = find_healpix(file)
    if table is not None:
        return table, parse_healpix(table, path, frame=frame, n_channels=n_channels)
    image = find_image(file)
    if image is not None:
        return image, parse_image(image, path)
    names = [hdu.name for hdu in file]
    remedy = f"Accepted is {_ACCEPTED}."
    if "EVENTS" in names:
        remedy = "This is a photon list: bin it into a map first."
    raise FileFormatError(f"no map among the HDUs {', '.join(names)}", path=path, remedy=remedy)


def _check_number(raw: RawMap, table: str, energies: Quantity | None, path: Path) -> None:
    if energies is not None and len(energies) != len(raw.names):
        raise EnergyEdgesError(
            f"{table} has {len(energies)} rows for {len(raw.names)} maps ({', '.join(raw.names)})",
            path=path,
        )


def _valid(raw: RawMap, path: Path) -> tuple[np.ndarray, ...]:
    good = [np.isfinite(array) & ~_is_unseen(array) for array in raw.arrays]
    for name, array in zip(raw.names, raw.arrays, strict=True):
        if np.any(np.isinf(array) & raw.present):
            raise InputDataError(f"{name} has infinite values", path=path)
    valid = tuple(raw.present & mask for mask in good)
    if not any(mask.any() for mask in valid):
        raise InputDataError("no pixel has data: all are NaN or UNSEEN", path=path)
    bad = raw.present & ~np.all(good, axis=0)
    if bad.any():
        warnings.warn(
            f"{path}: {np.count_nonzero(bad)} of {bad.size} pixels have no data (NaN, UNSEEN) and "
            "are ignored",
            MaskedPixelsWarning,
            stacklevel=3,
        )
    return valid


def _is_unseen(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return np.zeros(array.shape, dtype=bool)
    return np.isclose(array, _UNSEEN, rtol=1e-5, atol=0)
