"""Cubes of the interstellar emission in FITS: the format of gll_iem, and cut-outs of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from scipy.ndimage import map_coordinates

from gammafind.errors import CoordinateSystemError, FileFormatError, InputDataError
from gammafind.sky.fits.choosing import choose_map
from gammafind.sky.fits.image import celestial_wcs
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.pixels import WcsPixels
from gammafind.utils.files import split_hdu

_WHAT = (
    "the LAT interstellar emission model (gll_iem_v07.fits) or a cut-out of it: an image cube "
    "in ph/cm2/s/MeV/sr with a table ENERGIES in MeV"
)
_UNIT = u.Unit("cm-2 s-1 MeV-1 sr-1")
_TABLES = ("ENERGIES", "EBOUNDS")
"""Tables of energies, where the header does not name one (``BANDSHDU``)."""
_COLUMNS = ("ENERGY", "ENERGY_TRUE")
_CARDS = ("CRVAL1", "CRPIX1", "CDELT1", "CRPIX2", "CDELT2")


class Grid:
    """Positions of the pixels of a cube."""

    def sample(self, image: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Bilinear interpolation at Galactic positions, NaN beyond the outermost pixels."""
        raise NotImplementedError


@dataclass(frozen=True)
class PlateCarree(Grid):
    """Plate-carree pixels: longitude of the central column, latitude of the first row."""

    n_lon: int
    n_lat: int
    middle: float
    step_lon: float
    first_lat: float
    step_lat: float

    @classmethod
    def of(cls, header: fits.Header, path: Path) -> PlateCarree:
        """Grid of a header.

        Raises
        ------
        CoordinateSystemError
            If a number is missing.
        """
        missing = [key for key in _CARDS if not isinstance(header.get(key), int | float)]
        if missing:
            raise CoordinateSystemError(f"no number in {', '.join(missing)}", path=path)
        n_lon, n_lat = header["NAXIS1"], header["NAXIS2"]
        step_lon, step_lat = header["CDELT1"], header["CDELT2"]
        if not step_lon or not step_lat:
            raise CoordinateSystemError("CDELT1 or CDELT2 is zero", path=path)
        return cls(
            n_lon=n_lon,
            n_lat=n_lat,
            middle=header["CRVAL1"] + ((n_lon + 1) / 2 - header["CRPIX1"]) * step_lon,
            step_lon=step_lon,
            first_lat=(1 - header["CRPIX2"]) * step_lat,
            step_lat=step_lat,
        )

    @property
    def is_closed(self) -> bool:
        """Whether the columns cover all longitudes."""
        return self.n_lon * abs(self.step_lon) >= 360 - 1e-6

    def sample(self, image: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Bilinear interpolation at Galactic positions, NaN beyond the outermost pixels."""
        away = (lon - self.middle + 180) % 360 - 180
        x = (self.n_lon - 1) / 2 + away / self.step_lon
        y = (lat - self.first_lat) / self.step_lat
        inside = (y >= -0.5) & (y <= self.n_lat - 0.5)
        if self.is_closed:
            n_round = 360 / abs(self.step_lon)
            image, x = np.column_stack([image[:, : round(n_round)], image[:, 0]]), x % n_round
        else:
            inside &= (x >= -0.5) & (x <= self.n_lon - 0.5)
        values = np.full(x.shape, np.nan)
        coordinates = [np.clip(y[inside], 0, self.n_lat - 1), x[inside]]
        values[inside] = map_coordinates(image, coordinates, order=1, mode="nearest")
        return values


@dataclass(frozen=True)
class Projected(Grid):
    """Pixels of any other celestial projection."""

    pixels: WcsPixels

    def sample(self, image: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Bilinear interpolation at Galactic positions, NaN beyond the outermost pixels."""
        positions = SkyCoord(lon, lat, unit="deg", frame="galactic")
        return self.pixels.interpolate(image, positions.transform_to(self.pixels.frame))


@dataclass(frozen=True, eq=False)
class Cube:
    """An open cube.

    Parameters
    ----------
    path : Path
    energies : ndarray, shape (n,)
        Energy of each plane in MeV, increasing.
    grid : Grid
    hdu : HDU
        Open: its planes are read one at a time.
    factor : float
        From the unit of the file to cm-2 s-1 MeV-1 sr-1.
    """

    path: Path
    energies: np.ndarray
    grid: Grid
    hdu: fits.PrimaryHDU | fits.ImageHDU
    factor: float

    def plane(self, index: int) -> np.ndarray:
        """One plane, in cm-2 s-1 MeV-1 sr-1.

        Raises
        ------
        InputDataError
            If values are negative or not finite.
        """
        plane = np.asarray(self.hdu.section[index, :, :], dtype=float) * self.factor
        if not (np.all(np.isfinite(plane)) and np.all(plane >= 0)):
            raise InputDataError(f"plane {index} has NaN or negative intensities", path=self.path)
        return plane


@contextmanager
def open_cube(path: str | PathLike) -> Iterator[Cube]:
    """Open a cube.

    Parameters
    ----------
    path : path-like

    Yields
    ------
    Cube

    Raises
    ------
    FileFormatError
        If there is no image of three axes, no table of energies, not one energy per plane, or
        another unit.
    CoordinateSystemError
        If the first two axes are not celestial coordinates.
    InputFileError
        If the file cannot be opened; the subclass describes the fault.
    """
    path = Path(path)
    with open_fits(path, what=_WHAT) as file:
        hdu = _image(file, path)
        yield Cube(
            path=path,
            energies=_energies(file, hdu, path),
            grid=_grid(hdu.header, path),
            hdu=hdu,
            factor=_factor(hdu.header, path),
        )


def _image(file: fits.HDUList, path: Path) -> fits.PrimaryHDU | fits.ImageHDU:
    """The image of three axes: the one in brackets after the name of the file, or the first."""
    if split_hdu(path)[1]:
        images = [choose_map(file, path, want="background")]
    else:
        images = [hdu for hdu in file if hdu.is_image and len(hdu.shape) > 0]
    cubes = [hdu for hdu in images if hdu.is_image and len(hdu.shape) == 3]
    if not cubes:
        n = len(images[0].shape) if images and images[0].is_image else 0
        raise FileFormatError(
            f"the image of intensities has {n} dimensions",
            path=path,
            remedy=f"Accepted is {_WHAT}.",
        )
    return cubes[0]


def _grid(header: fits.Header, path: Path) -> Grid:
    types = [str(header.get(f"CTYPE{axis}", "")).strip() for axis in (1, 2)]
    units = [str(header.get(f"CUNIT{axis}", "deg")).strip() or "deg" for axis in (1, 2)]
    plain = types == ["GLON-CAR", "GLAT-CAR"] and set(units) <= {"deg", "degree", "degrees"}
    if plain and header.get("CRVAL2", 0.0) == 0 and "CD1_1" not in header:
        return PlateCarree.of(header, path)
    return Projected(WcsPixels(celestial_wcs(header, path), (header["NAXIS2"], header["NAXIS1"])))


def _energies(file: fits.HDUList, cube: fits.PrimaryHDU, path: Path) -> np.ndarray:
    """Energies of the planes in MeV."""
    tables = {hdu.name.upper(): hdu for hdu in file if isinstance(hdu, fits.BinTableHDU)}
    wanted = [str(cube.header.get("BANDSHDU", "")).strip().upper(), *_TABLES]
    wanted += [name for name in tables if name.endswith("_BANDS")]
    table = next((tables[name] for name in wanted if name in tables), None)
    names = {name.upper(): name for name in table.columns.names} if table is not None else {}
    column = next((names[name] for name in _COLUMNS if name in names), None)
    if column is None:
        raise FileFormatError(
            "there is no table of energies",
            path=path,
            remedy="Accepted is ENERGIES (Energy, in MeV) or PRIMARY_BANDS (ENERGY_TRUE).",
        )
    unit = u.Unit(table.columns[column].unit or "MeV")
    energies = np.asarray(table.data[column], dtype=float) * unit.to(u.MeV)
    if len(energies) != cube.shape[0] or len(energies) < 2 or np.any(np.diff(energies) <= 0):
        raise FileFormatError(
            f"{cube.shape[0]} planes, but {len(energies)} energies from {min(energies):g} to "
            f"{max(energies):g} MeV",
            path=path,
            remedy="Energies must increase, one per plane.",
        )
    return energies


def _factor(header: fits.Header, path: Path) -> float:
    """Factor from the unit of the file, which may count photons, to that of a cube."""
    text = str(header.get("BUNIT", "")).strip()
    if not text:
        return 1.0
    unit = u.Unit(text, parse_strict="silent")
    for one in (unit, unit / u.ph, unit / u.ct):
        if one.is_equivalent(_UNIT):
            return float(one.to(_UNIT))
    # Official files have units that no standard knows, such as photon/cm**2/s/MeV/sr.
    if isinstance(unit, u.UnrecognizedUnit):
        return 1.0
    raise FileFormatError(
        f"the cube is in {text!r}", path=path, remedy="It must be an intensity per energy."
    )
