"""Interstellar emission: band maps from the gll_iem cube of the LAT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.errors import BandError
from gammafind.plugins.fermi_lat.cubes import Cube, Grid, open_cube
from gammafind.plugins.fermi_lat.weighted import Weight, plane_integral, weighted_integral
from gammafind.sky.bands import Band
from gammafind.sky.pixels import HealpixPixels

_SUB_NSIDE = 512
"""Coarser maps are averages over pixels of this nside, 0.115 deg: about the pixels of the model."""
_CHUNK = 1 << 20
"""Sub-pixels per step: limits memory."""


def band_intensity(
    path: str | PathLike,
    bands: Sequence[Band],
    pixels: HealpixPixels | Sequence[HealpixPixels],
    weights: Sequence[Weight] | None = None,
) -> tuple[np.ndarray, ...]:
    """Integrate the interstellar emission over bands, on HEALPix pixels.

    Between neighbouring energies of the cube the spectrum of each pixel is a power law. The planes
    are read one at a time, so an uncompressed cube is never completely in memory.

    Parameters
    ----------
    path : path-like
        ``gll_iem_v07.fits`` or similar, gzipped or not, all-sky or a part of the sky.
    bands : sequence of Band
        Not below the energies of the cube; above them, the power law between the last two
        continues.
    pixels : HealpixPixels or sequence of HealpixPixels
        The same pixels for all bands, or one per band.
    weights : sequence of Weight, optional
        Weight over true energy of each band, instead of 1 inside the band and 0 outside.

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
        If its first two axes are not celestial coordinates.
    InputDataError
        If a plane has values that are negative or not finite.
    BandError
        If a band is below the energies of the cube.

    References
    ----------
    Acero et al. 2016, ApJS 223, 26.
    """
    path = Path(path)
    each = [pixels] * len(bands) if isinstance(pixels, HealpixPixels) else list(pixels)
    if len(each) != len(bands):
        raise BandError(f"{len(each)} pixelisations for {len(bands)} bands")
    with open_cube(path) as cube:
        return tuple(
            _resample(_integrate(cube, band, weight), cube.grid, target)
            for band, weight, target in zip(
                bands, weights or [None] * len(bands), each, strict=True
            )
        )


def energy_integral(
    energies: np.ndarray,
    plane: Callable[[int], np.ndarray],
    band: Band,
    weight: Weight | None,
    path: Path,
) -> np.ndarray:
    """Integral of a table of planes over a band or with a weight, in cm-2 s-1 sr-1."""
    low, high = (edge.to_value(u.MeV, u.spectral()) for edge in (band.low, band.high))
    if low < energies[0] * (1 - 1e-6):
        raise BandError(
            f"the band {band.name} is outside the energies of {path}",
            remedy=f"They run from {energies[0]:g} MeV up.",
        )
    if weight is not None:
        return weighted_integral(energies, plane, weight)
    return plane_integral(energies, plane, low, high)


def _integrate(cube: Cube, band: Band, weight: Weight | None) -> np.ndarray:
    """Image of the intensity in a band, in cm-2 s-1 sr-1."""
    return energy_integral(cube.energies, cube.plane, band, weight, cube.path)


def _resample(image: np.ndarray, grid: Grid, pixels: HealpixPixels) -> np.ndarray:
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
        sampled = grid.sample(image, position.l.deg, position.b.deg)
        mean = sampled.reshape(parents.size, n_children).mean(axis=1)
        values[hp.nest2ring(pixels.nside, parents)] = mean
    return values
