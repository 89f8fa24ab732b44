"""Interstellar emission: band maps from the gll_iem cube of the LAT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from scipy.ndimage import map_coordinates

from gammafind.errors import BandError, CoordinateSystemError, FileFormatError, InputDataError
from gammafind.plugins.fermi_lat.tabulated import segment_integral, segments
from gammafind.sky.bands import Band
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.pixels import HealpixPixels

_WHAT = (
    "the LAT interstellar emission model (gll_iem_v07.fits): an image cube in Galactic "
    "plate-carree coordinates in ph/cm2/s/MeV/sr, with a table ENERGIES in MeV"
)
_ENERGY_TABLES = {"ENERGIES": "Energy", "PRIMARY_BANDS": "ENERGY_TRUE"}
_CARDS = ("CRVAL1", "CRPIX1", "CDELT1", "CRPIX2", "CDELT2")
_SUB_NSIDE = 512
"""Coarser maps are averages over pixels of this nside, 0.115 deg: about the pixels of the model."""
_CHUNK = 1 << 20
"""Sub-pixels per step: limits memory."""


def band_intensity(
    path: str | PathLike,
    bands: Sequence[Band],
    pixels: HealpixPixels | Sequence[HealpixPixels],
) -> tuple[np.ndarray, ...]:
    """Integrate the interstellar emission over bands, on HEALPix pixels.

    Between neighbouring energies of the cube the spectrum of each pixel is a power law. The planes
    are read one at a time, so an uncompressed cube is never completely in memory.

    Parameters
    ----------
    path : path-like
        ``gll_iem_v07.fits`` or similar, gzipped or not, all-sky or a part of the sky.
    bands : sequence of Band
        Within the energies of the cube.
    pixels : HealpixPixels or sequence of HealpixPixels
        The same pixels for all bands, or one per band.

    Returns
    -------
    tuple of ndarray, one per band
        Photon intensity in cm-2 s-1 sr-1: bilinear interpolation at the pixel centres, averaged
        over sub-pixels if pixels are larger than those of nside 512. NaN outside the cube.

    Raises
    ------
    MissingFileError, TruncatedFileError
        If there is no such file, or it is incomplete.
    FileFormatError
        If it is not a cube, has no table of energies, or not one energy per plane.
    CoordinateSystemError
        If it is not in Galactic plate-carree coordinates.
    InputDataError
        If a plane has values that are negative or not finite.
    BandError
        If a band is outside the energies of the cube.

    References
    ----------
    Acero et al. 2016, ApJS 223, 26.
    """
    path = Path(path)
    each = [pixels] * len(bands) if isinstance(pixels, HealpixPixels) else list(pixels)
    if len(each) != len(bands):
        raise BandError(f"{len(each)} pixelisations for {len(bands)} bands")
    with open_fits(path, what=_WHAT) as file:
        cube = _cube(file, path)
        grid = _Grid.of(cube.header, path)
        energies = _energies(file, cube, path)
        return tuple(
            _resample(_integrate(cube, energies, band, path), grid, target)
            for band, target in zip(bands, each, strict=True)
        )


@dataclass(frozen=True)
class _Grid:
    """Plate-carree pixels: longitude of the central column, latitude of the first row."""

    n_lon: int
    n_lat: int
    middle: float
    step_lon: float
    first_lat: float
    step_lat: float

    @classmethod
    def of(cls, header: fits.Header, path: Path) -> _Grid:
        types = tuple(str(header.get(f"CTYPE{axis}", "")).strip() for axis in (1, 2))
        if types != ("GLON-CAR", "GLAT-CAR") or header.get("CRVAL2", 0.0) != 0:
            raise CoordinateSystemError(
                f"axes {types[0]!r} and {types[1]!r}, CRVAL2 = {header.get('CRVAL2')}",
                path=path,
                remedy="Accepted are GLON-CAR and GLAT-CAR with CRVAL2 = 0.",
            )
        missing = [key for key in _CARDS if not isinstance(header.get(key), int | float)]
        if missing:
            raise CoordinateSystemError(f"no number in {', '.join(missing)}", path=path)
        n_lon, n_lat = header["NAXIS1"], header["NAXIS2"]
        step_lon, step_lat = header["CDELT1"], header["CDELT2"]
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

    def xy(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixel coordinates, 0 at the centre of the first pixel."""
        away = (lon - self.middle + 180) % 360 - 180
        x = (self.n_lon - 1) / 2 + away / self.step_lon
        return x, (lat - self.first_lat) / self.step_lat


def _cube(file: fits.HDUList, path: Path) -> fits.PrimaryHDU:
    shape = file[0].shape
    if len(shape) != 3:
        raise FileFormatError(
            f"the primary image has {len(shape)} dimensions",
            path=path,
            remedy=f"Accepted is {_WHAT}.",
        )
    return file[0]


def _energies(file: fits.HDUList, cube: fits.PrimaryHDU, path: Path) -> np.ndarray:
    """Energies of the planes in MeV."""
    for extension, column in _ENERGY_TABLES.items():
        if extension in file and column in file[extension].columns.names:
            table = file[extension]
            unit = u.Unit(table.columns[column].unit or "MeV")
            energies = np.asarray(table.data[column], dtype=float) * unit.to(u.MeV)
            break
    else:
        raise FileFormatError(
            "there is no table of energies",
            path=path,
            remedy="Accepted is ENERGIES (Energy, in MeV) or PRIMARY_BANDS (ENERGY_TRUE).",
        )
    if len(energies) != cube.shape[0] or np.any(np.diff(energies) <= 0):
        raise FileFormatError(
            f"{cube.shape[0]} planes, but {len(energies)} energies from {energies[0]:g} to "
            f"{energies[-1]:g} MeV",
            path=path,
            remedy="Energies must increase, one per plane.",
        )
    return energies


def _integrate(cube: fits.PrimaryHDU, energies: np.ndarray, band: Band, path: Path) -> np.ndarray:
    """Image of the intensity in a band, in cm-2 s-1 sr-1."""
    low, high = (edge.to_value(u.MeV, u.spectral()) for edge in (band.low, band.high))
    if low < energies[0] or high > energies[-1]:
        raise BandError(
            f"the band {band.name} is outside the energies of {path}",
            remedy=f"They run from {energies[0]:g} to {energies[-1]:g} MeV.",
        )
    total = np.zeros(cube.shape[1:])
    chosen = segments(low, high, energies)
    upper = _plane(cube, chosen[0], path)
    for i in chosen:
        lower, upper = upper, _plane(cube, i + 1, path)
        nodes = energies[i], energies[i + 1]
        total += segment_integral(nodes, (lower, upper), max(low, nodes[0]), min(high, nodes[1]))
    return total


def _plane(cube: fits.PrimaryHDU, index: int, path: Path) -> np.ndarray:
    plane = np.asarray(cube.section[index, :, :], dtype=float)
    if not (np.all(np.isfinite(plane)) and np.all(plane >= 0)):
        raise InputDataError(f"plane {index} has NaN or negative intensities", path=path)
    return plane


def _resample(image: np.ndarray, grid: _Grid, pixels: HealpixPixels) -> np.ndarray:
    """Sample an image at HEALPix pixels, averaged over sub-pixels if the pixels are coarse."""
    import healpy as hp

    fine = max(pixels.nside, _SUB_NSIDE)
    n_children = (fine // pixels.nside) ** 2
    values = np.empty(pixels.shape)
    n_chunks = -(-values.size * n_children // _CHUNK)
    for parents in np.array_split(np.arange(values.size), n_chunks):
        children = np.arange(parents[0] * n_children, (parents[-1] + 1) * n_children)
        lon, lat = hp.pix2ang(fine, children, nest=True, lonlat=True)
        position = SkyCoord(lon, lat, unit="deg", frame=pixels.frame).galactic
        sampled = _sample(image, grid, position.l.deg, position.b.deg)
        mean = sampled.reshape(parents.size, n_children).mean(axis=1)
        values[hp.nest2ring(pixels.nside, parents)] = mean
    return values


def _sample(image: np.ndarray, grid: _Grid, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Bilinear interpolation, NaN beyond the edges of the outermost pixels."""
    x, y = grid.xy(lon, lat)
    inside = (y >= -0.5) & (y <= grid.n_lat - 0.5)
    if grid.is_closed:
        n_round = 360 / abs(grid.step_lon)
        image, x = np.column_stack([image[:, : round(n_round)], image[:, 0]]), x % n_round
    else:
        inside &= (x >= -0.5) & (x <= grid.n_lon - 0.5)
    values = np.full(x.shape, np.nan)
    coordinates = [np.clip(y[inside], 0, grid.n_lat - 1), x[inside]]
    values[inside] = map_coordinates(image, coordinates, order=1, mode="nearest")
    return values
