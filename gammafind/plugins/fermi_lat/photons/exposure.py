"""The exposure of a simulated pointing: by band, event types and year, and in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits

from gammafind.plugins.fermi_lat.irf import Response
from gammafind.plugins.fermi_lat.photons.pointing import LIVE, Pointing
from gammafind.plugins.fermi_lat.years import N_YEARS
from gammafind.sky.bands import Band
from gammafind.sky.fits.exposure import band_weights
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import to_frame
from gammafind.utils.version import running_version

_PIXELS = HealpixPixels(32)
"""Pixels of 1.8 deg: the exposure changes slowly."""
_COSINES = 100
"""Bins of the inclination between 0 and 90 deg: the effective area is linear in them."""
_APART, _FEWEST, _MOST = 120.0, 2_000, 60_000
"""Time between positions of the satellite in s, and their number: accurate to 0.3 %."""
_AT_ONCE = 500
"""Positions of the satellite together: limits memory."""
_NODES = 5
"""Energies of a band in the file, evenly in its logarithm."""
_EDGE = 1e-6
"""Distance of the outer energies from the edges, where another band with another zenith cut
begins."""


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


def livetime_maps(pointing: Pointing, max_zeniths: Sequence[float]) -> np.ndarray:
    """Livetime in each year, pixel and bin of inclination.

    Parameters
    ----------
    pointing : Pointing
    max_zeniths : sequence of float
        In degrees.

    Returns
    -------
    ndarray, shape (n_zeniths, n_years, n_pixels, 100)
        In seconds, in the years that have any, for pixels of nside 32 and bins of equal width in
        the cosine.
    """
    good = pointing.livetime / LIVE
    n_times = int(np.clip(good / _APART, _FEWEST, _MOST))
    vectors = to_frame(_PIXELS.vectors, "icrs").astype(np.float32)
    limits = np.cos(np.radians(np.asarray(max_zeniths)))
    n_pixels = len(vectors)
    used = np.flatnonzero(pointing.year_shares)
    total = np.zeros((len(limits), len(used), n_pixels, _COSINES), dtype=np.float32)
    first_of_year = np.concatenate([[0], np.cumsum(pointing.year_shares)])
    shares = (np.arange(n_times) + 0.5) / n_times
    years = np.clip(np.searchsorted(first_of_year, shares, side="right") - 1, 0, N_YEARS - 1)
    for at, year in enumerate(used):
        chosen = shares[years == year]
        for start in range(0, len(chosen), _AT_ONCE):
            attitude = pointing.attitude(pointing.at(chosen[start : start + _AT_ONCE]))
            cosine = (attitude.z.astype(np.float32) @ vectors.T).ravel()
            height = (attitude.zenith.astype(np.float32) @ vectors.T).ravel()
            front = np.flatnonzero(cosine > 0)
            place = np.minimum((cosine[front] * _COSINES).astype(np.int64), _COSINES - 1)
            place += front % n_pixels * _COSINES
            for i, limit in enumerate(limits):
                seen = place[height[front] >= limit]
                counted = np.bincount(seen, minlength=n_pixels * _COSINES)
                total[i, at] += counted.reshape(n_pixels, _COSINES)
    return total * (pointing.livetime / n_times)


def pointing_exposure(
    response: Response,
    bands: Sequence[Band],
    max_zeniths: Sequence[float],
    pointing: Pointing,
    known: dict[float, np.ndarray],
) -> PointingExposure:
    """Exposure of a response.

    Parameters
    ----------
    response : Response
    bands : sequence of Band
    max_zeniths : sequence of float
        Of each band, in degrees.
    pointing : Pointing
    known : dict
        Livetime of each zenith angle, from `livetime_maps`.
    """
    middle = (np.arange(_COSINES) + 0.5) / _COSINES
    energies, maps = [], []
    for band, zenith in zip(bands, max_zeniths, strict=True):
        low, high = band.edges.to_value(u.MeV)
        nodes = np.geomspace(low * (1 + _EDGE), high * (1 - _EDGE), _NODES)
        area = sum(
            one.value(nodes, middle) * _live_factor(one.livetime_factors(nodes))[:, None]
            for one in response.areas
        )
        energies.append(nodes)
        maps.append(np.einsum("ypc,ec->yep", known[zenith], area, optimize=True))
    by_year = np.zeros((N_YEARS, _NODES * len(bands), len(_PIXELS.vectors)))
    by_year[pointing.year_shares > 0] = np.concatenate(maps, axis=1)
    return PointingExposure(tuple(bands), np.concatenate(energies), by_year)


def write_exposure(exposure: PointingExposure, path: Path) -> None:
    """Write the exposure of all years in the format of gtexpcube2."""
    values = exposure.by_year.sum(axis=0)
    columns = [
        fits.Column(f"ENERGY{i + 1}", "E", unit="cm2 s", array=layer)
        for i, layer in enumerate(values)
    ]
    table = fits.BinTableHDU.from_columns(columns, name="HPXEXPOSURES")
    table.header.update(
        PIXTYPE="HEALPIX", ORDERING="RING", COORDSYS="GAL", NSIDE=_PIXELS.nside, FIRSTPIX=0,
        LASTPIX=len(_PIXELS.vectors) - 1, INDXSCHM="IMPLICIT",
    )  # fmt: skip
    column = fits.Column("Energy", "D", unit="MeV", array=exposure.energies)
    nodes = fits.BinTableHDU.from_columns([column], name="ENERGIES")
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="GLAST", INSTRUME="LAT", CREATOR=running_version())
    fits.HDUList([primary, table, nodes]).writeto(path)


def _live_factor(factors: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    offset, slope = factors
    return offset + slope * LIVE
