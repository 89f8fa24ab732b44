"""The exposure of a simulated pointing: by band, event types and year, and in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.plugins.fermi_lat.exposure import band_nodes
from gammafind.plugins.fermi_lat.irf import (
    LivetimeCube,
    Pointings,
    Response,
    exposure_in_pixels,
)
from gammafind.plugins.fermi_lat.photons.pointing import LIVE, Pointing
from gammafind.plugins.fermi_lat.years import N_YEARS
from gammafind.sky.bands import Band
from gammafind.sky.fits.exposure import band_weights
from gammafind.sky.fits.write_exposure import ExposureCube, write_exposure
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import from_frame

_PIXELS = HealpixPixels(32)
"""Pixels of 1.8 deg: the exposure changes slowly."""
_COSINES = 100
"""Bins of the inclination between 0 and 90 deg: the effective area is linear in them."""
_APART, _FEWEST, _MOST = 120.0, 2_000, 60_000
"""Time between positions of the satellite in s, and their number: accurate to 0.3 %."""


@dataclass(frozen=True, eq=False)
class PointingExposure:
    """Exposure of some event types.

    Attributes
    ----------
    bands : tuple of Band
    energies : ndarray, shape (n_energies,)
        In MeV, the same number in each band.
    by_year : ndarray, shape (10, n_energies, n_pixels)
        In cm2 s, RING, Galactic.
    """

    bands: tuple[Band, ...]
    energies: np.ndarray
    by_year: np.ndarray

    def year_shares(self, positions: SkyCoord, band: int, *, index: float) -> np.ndarray:
        """Share of each year in the exposure of a band, shape (n, 10).

        Parameters
        ----------
        positions : SkyCoord, shape (n,)
        band : int
        index : float
            Photon index over which the exposure is averaged in the band.
        """
        weights = band_weights(self.energies * u.MeV, self.bands[band], index=index)
        maps = np.tensordot(self.by_year, weights, axes=(1, 0))
        at = np.stack([_PIXELS.interpolate(values, positions) for values in maps], axis=1)
        total = at.sum(axis=1, keepdims=True)
        return np.divide(at, total, out=np.full(at.shape, 1 / N_YEARS), where=total > 0)


def livetime_by_year(pointing: Pointing, max_zenith: float) -> tuple[LivetimeCube, ...]:
    """Livetime in each year that has any, in Galactic pixels of nside 32.

    Parameters
    ----------
    pointing : Pointing
    max_zenith : float
        In degrees.
    """
    n_times = int(np.clip(pointing.livetime / LIVE / _APART, _FEWEST, _MOST))
    first_of_year = np.concatenate([[0], np.cumsum(pointing.year_shares)])
    shares = (np.arange(n_times) + 0.5) / n_times
    years = np.clip(np.searchsorted(first_of_year, shares, side="right") - 1, 0, N_YEARS - 1)
    each = pointing.livetime / n_times
    found = []
    for year in np.flatnonzero(pointing.year_shares):
        here = Pointings(most=_MOST)
        attitude = pointing.attitude(pointing.at(shares[years == year]))
        z, zenith = (from_frame(v, "icrs") for v in (attitude.z, attitude.zenith))
        here.add(z, zenith, np.full(len(z), each), np.full(len(z), each * LIVE))
        edges = np.linspace(0, 1, _COSINES + 1)
        found.append(here.cube(max_zenith, nside=_PIXELS.nside, edges=edges, frame="galactic"))
    return tuple(found)


def pointing_exposure(
    response: Response,
    bands: Sequence[Band],
    max_zeniths: Sequence[float],
    pointing: Pointing,
    known: Mapping[float, Sequence[LivetimeCube]],
) -> PointingExposure:
    """Exposure of a response.

    Parameters
    ----------
    response : Response
    bands : sequence of Band
    max_zeniths : sequence of float
        Of each band, in degrees.
    pointing : Pointing
    known : mapping
        Livetime of each zenith angle, from `livetime_by_year`.
    """
    energies, maps = [], []
    for band, zenith in zip(bands, max_zeniths, strict=True):
        nodes = band_nodes(band)
        years = [exposure_in_pixels(response, cube, nodes, slice(None)) for cube in known[zenith]]
        energies.append(nodes)
        maps.append(np.stack(years))
    by_year = np.zeros((N_YEARS, sum(map(len, energies)), len(_PIXELS.vectors)))
    by_year[pointing.year_shares > 0] = np.concatenate(maps, axis=1)
    return PointingExposure(tuple(bands), np.concatenate(energies), by_year)


def write_pointing_exposure(exposure: PointingExposure, path: Path) -> None:
    """Write the exposure of all years in the format of gtexpcube2."""
    values = exposure.by_year.sum(axis=0)
    write_exposure(ExposureCube(_PIXELS, exposure.energies * u.MeV, values), path)
