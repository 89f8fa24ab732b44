"""A FITS map of any accepted layout, as arrays on pixels with energies."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import EnergyEdgesError, InputDataError, MaskedPixelsWarning
from gammafind.sky.fits.choosing import MapHDU, Wanted, choose_map, is_pixel_list
from gammafind.sky.fits.energies import Energies, read_energies
from gammafind.sky.fits.healpix import parse_healpix
from gammafind.sky.fits.image import parse_image, parse_pixel_list
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.fits.raw import RawMap
from gammafind.sky.fits.selections import selections
from gammafind.sky.pixels import UNSEEN, Pixels

_WHAT = "a HEALPix table (gtbin, gtexpcube2, healpy) or an image with a celestial WCS"
_UNITS = ("BUNIT", "UNIT", "SPECUNIT", "BUNITS")
"""Keywords of the unit of a map, where its columns have none."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Layers:
    """The maps of one file: one per channel, column or plane.

    Parameters
    ----------
    path : Path
    hdu : str
        Name of the HDU of the maps.
    names : tuple of str
    unit : str
        Unit as written in the file; empty if it is not.
    values : tuple of ndarray
        One array per layer, with the shape of ``pixels``.
    valid : tuple of ndarray of bool
        False if a pixel is not covered or has no number.
    pixels : Pixels
        RING order if HEALPix.
    bins : Quantity or None
        Energy edges, shape (n, 2).
    nodes : Quantity or None
        Energies of layers that hold for one energy, shape (n,).
    selections : tuple of str
        Cuts on the photons that the header records.
    region : str
        Part of the sky that a HEALPix map covers (``HPX_REG`` of gammapy); empty if not said.
    listed : bool
        Whether the file lists its pixels one by one: others may be empty or not observed.
    """

    path: Path
    hdu: str = ""
    names: tuple[str, ...]
    unit: str
    values: tuple[np.ndarray, ...]
    valid: tuple[np.ndarray, ...]
    pixels: Pixels
    bins: Quantity | None
    nodes: Quantity | None
    selections: tuple[str, ...]
    region: str = ""
    listed: bool = False


def read_layers(
    path: str | PathLike, *, frame: str | None = None, want: Wanted = "counts"
) -> Layers:
    """Read every map of a file.

    HEALPix tables may be in RING or NESTED order and contain all pixels (``IMPLICIT``) or some
    (``EXPLICIT``, ``SPARSE``); images and cubes need a celestial WCS.

    Parameters
    ----------
    path : path-like
        Plain, gzipped, or compressed by fpack. ``maps.fits[COUNTS]`` or ``maps.fits[2]`` chooses
        an HDU.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of a HEALPix map if the header has no ``COORDSYS``.
    want : {"counts", "exposure", "background"}
        What the maps are read for, which chooses one of several HDUs.

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
    with open_fits(path, what=_WHAT) as file:
        hdu = choose_map(file, path, want=want)
        energies = read_energies(file, hdu, path)
        n_channels = 1 if energies.bins is None else len(energies.bins)
        raw = _parse(hdu, path, frame, n_channels, mean=want == "exposure")
        cuts = selections(hdu.header) or selections(file[0].header)
        unit = raw.unit or _header_unit(hdu, file[0])
        region = str(hdu.header.get("HPX_REG", hdu.header.get("HPXREGION", "")))
    energies = energies.of(len(raw.names), counted=want == "counts")
    _check_number(raw, energies, path)
    return Layers(
        path=path,
        hdu=hdu.name,
        names=raw.names,
        unit=unit,
        values=raw.arrays,
        valid=_valid(raw, path),
        pixels=raw.pixels,
        bins=energies.bins,
        nodes=energies.nodes,
        selections=cuts,
        region=region,
        listed=raw.listed,
    )


def _parse(hdu: MapHDU, path: Path, frame: str | None, n_channels: int, *, mean: bool) -> RawMap:
    if not isinstance(hdu, fits.BinTableHDU):
        return parse_image(hdu, path)
    if is_pixel_list(hdu):
        return parse_pixel_list(hdu, path, n_channels=n_channels)
    return parse_healpix(hdu, path, frame=frame, n_channels=n_channels, mean=mean)


def _header_unit(hdu: MapHDU, primary: fits.PrimaryHDU) -> str:
    said = (str(one.header.get(key, "")).strip() for one in (hdu, primary) for key in _UNITS)
    return next(filter(None, said), "")


def _check_number(raw: RawMap, energies: Energies, path: Path) -> None:
    for rows in (energies.bins, energies.nodes):
        if rows is not None and len(rows) != len(raw.names):
            raise EnergyEdgesError(
                f"{energies.table} has {len(rows)} rows for {len(raw.names)} maps "
                f"({', '.join(raw.names)})",
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
    return np.isclose(array, UNSEEN, rtol=1e-5, atol=0)
