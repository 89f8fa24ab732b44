"""Exposure over the sky: computed from a livetime cube, or read from gtexpcube2."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.units import Quantity
from astropy.wcs import WCS, FITSFixedWarning

from gammafind.errors import FileFormatError, InputDataError, OptionError
from gammafind.plugins.fermi_lat.files import open_fits
from gammafind.plugins.fermi_lat.irf.caldb import hat_matrix
from gammafind.plugins.fermi_lat.irf.livetime import LivetimeCube, healpix_layout
from gammafind.plugins.fermi_lat.irf.response import Response, band_photons
from gammafind.sky.bands import Band
from gammafind.sky.pixels import Pixels, WcsPixels
from gammafind.sky.skymap import SkyMap
from gammafind.units import as_value

__all__ = ["ExposureCube", "livetime_exposure", "read_exposure_cube"]

_WHAT = "an exposure map of gtexpcube2 (HPXEXPOSURES or an image cube, and ENERGIES)"


@dataclass(frozen=True, eq=False)
class ExposureCube:
    """Exposure on the pixels of a map, at several energies.

    Parameters
    ----------
    energies : ndarray, shape (n,)
        In MeV, increasing.
    pixels : Pixels
    values : ndarray, shape (n, *pixels.shape)
        In cm2 s.
    """

    energies: np.ndarray
    pixels: Pixels
    values: np.ndarray

    def at(self, energy: Quantity) -> np.ndarray:
        """Exposure in cm2 s at ``energy`` (scalar), interpolated in log energy.

        Raises
        ------
        OptionError
            If the cube does not reach ``energy``.
        """
        mev = np.atleast_1d(as_value(energy, u.MeV, name="energy"))
        return np.tensordot(self._weights(mev), self.values, axes=1)[0]

    def band_map(self, bands: Sequence[Band], *, index: float = 2.3) -> SkyMap:
        """Exposure averaged over the photons of a power law in each band.

        Parameters
        ----------
        bands : sequence of Band
        index : float
            Photon index, positive for a falling spectrum.

        Returns
        -------
        SkyMap
            Kind ``"exposure"``, in cm2 s.

        Raises
        ------
        OptionError
            If the cube does not cover a band.
        """
        maps = []
        for band in bands:
            energy, photons = band_photons(band, index)
            weights = photons @ self._weights(energy) / photons.sum()
            maps.append(np.tensordot(weights, self.values, axes=1))
        return SkyMap(tuple(bands), (self.pixels,) * len(maps), tuple(maps), "exposure")

    def _weights(self, energy: np.ndarray) -> np.ndarray:
        low, high = self.energies[0] * (1 - 1e-6), self.energies[-1] * (1 + 1e-6)
        if energy.min() < low or energy.max() > high:
            raise OptionError(
                f"the exposure is asked for {energy.min():g} to {energy.max():g} MeV",
                remedy=f"The cube holds {self.energies[0]:g} to {self.energies[-1]:g} MeV.",
            )
        return hat_matrix(np.log(energy), np.log(self.energies))


def livetime_exposure(
    response: Response, cube: LivetimeCube, energy: Quantity, positions: SkyCoord
) -> Quantity:
    """Exposure of a livetime cube: effective area times livetime, summed over inclinations.

    The effective area is corrected for the livetime fraction where the cube tells it, and
    averaged over azimuth. Each position gets the exposure of the pixel of the cube that holds
    it. All of this is as in ``gtexpcube2``.

    Parameters
    ----------
    response : Response
        Its own livetime profile is not used.
    cube : LivetimeCube
    energy : Quantity, shape (n,) or scalar
    positions : SkyCoord, any shape

    Returns
    -------
    Quantity, shape of ``energy`` followed by that of ``positions``
        In cm2 s.
    """
    pixel = cube.pixels.pixel_of(positions)
    used, inverse = np.unique(pixel, return_inverse=True)
    mev = np.atleast_1d(as_value(energy, u.MeV, name="energy"))
    total = np.zeros((mev.size, used.size))
    for area in response.areas:
        by_cosine = area.value(mev, cube.cos_theta)
        plain = by_cosine @ cube.livetime[used].T
        if cube.weighted is None:
            total += plain
        else:
            offset, slope = area.livetime_factors(mev)
            weighted = by_cosine @ cube.weighted[used].T
            total += offset[:, None] * plain + slope[:, None] * weighted
    return total[:, inverse.ravel()].reshape(np.shape(energy) + pixel.shape) * u.cm**2 * u.s


def read_exposure_cube(path: str | PathLike) -> ExposureCube:
    """Read an exposure map of ``gtexpcube2``, HEALPix or with a WCS.

    Raises
    ------
    FileFormatError
        If the file is of another kind, or its shape contradicts its energies.
    InputDataError
        If an exposure is negative or not finite.
    InputFileError
        If the file is missing, truncated or no FITS file.
    """
    with open_fits(path, what=_WHAT) as hdus:
        if "ENERGIES" not in hdus:
            raise FileFormatError(
                "the file has no extension 'ENERGIES'", path=path, remedy=f"Accepted is {_WHAT}."
            )
        energies = np.array(hdus["ENERGIES"].data.field(0), dtype=float)
        read = _read_healpix if "HPXEXPOSURES" in hdus else _read_image
        pixels, values = read(hdus, path)
    if values.shape != (energies.size, *pixels.shape) or np.any(np.diff(energies) <= 0):
        raise FileFormatError(
            f"the exposure has the shape {values.shape}",
            path=path,
            remedy=f"Expected {(energies.size, *pixels.shape)} for its increasing energies.",
        )
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise InputDataError("the exposure is negative or not finite somewhere", path=path)
    return ExposureCube(energies, pixels, values)


def _read_healpix(hdus: fits.HDUList, path: str | PathLike) -> tuple[Pixels, np.ndarray]:
    import healpy as hp

    table = hdus["HPXEXPOSURES"]
    pixels, nested = healpix_layout(table.header, path)
    names = [name for name in table.columns.names if name.startswith(("ENERGY", "CHANNEL"))]
    values = np.array([table.data[name] for name in names], dtype=float)
    if nested and values.shape[1:] == pixels.shape:
        values = values[:, hp.ring2nest(pixels.nside, np.arange(pixels.shape[0]))]
    return pixels, values


def _read_image(hdus: fits.HDUList, path: str | PathLike) -> tuple[Pixels, np.ndarray]:
    cube = hdus[0]
    if cube.data is None or cube.data.ndim != 3:
        raise FileFormatError(
            "the file has no HPXEXPOSURES and its primary image is no cube",
            path=path,
            remedy=f"Accepted is {_WHAT}.",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        pixels = WcsPixels(WCS(cube.header).celestial, cube.data.shape[1:])
    return pixels, np.array(cube.data, dtype=float)
