"""Exposure over the sky, from a livetime cube or from the geometry of survey mode."""

from __future__ import annotations

from functools import lru_cache

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity

from gammafind.plugins.fermi_lat.irf.livetime import LivetimeCube, survey_profile
from gammafind.plugins.fermi_lat.irf.response import Response
from gammafind.sky.bands import Band
from gammafind.units import degrees
from gammafind.utils.cache import cached_arrays

_NODES = 41
"""Declinations at which survey mode is computed: accurate to 0.5 %."""
_VERSION = 1
"""Of the profiles that are kept: to be raised when the numbers change."""


def livetime_exposure(
    response: Response, cube: LivetimeCube, energy: Quantity, positions: SkyCoord
) -> Quantity:
    """Exposure of a livetime cube: effective area times livetime, summed over inclinations.

    The effective area is corrected for the livetime fraction if the cube has it, and averaged over
    azimuth. Each position gets the exposure of the cube pixel that contains it. All of this is the
    same as in ``gtexpcube2``.

    Parameters
    ----------
    response : Response
        The livetime profile of the response is not used.
    cube : LivetimeCube
    energy : Quantity, shape (n,) or scalar
    positions : SkyCoord, any shape

    Returns
    -------
    Quantity, shape of ``energy`` followed by that of ``positions``
        In cm2 s.

    Raises
    ------
    OptionError
        If an energy is outside the response.
    """
    pixel = cube.pixels.pixel_of(positions)
    used, inverse = np.unique(pixel, return_inverse=True)
    mev = response.energies(energy)
    total = exposure_in_pixels(response, cube, mev, used)
    return total[:, inverse.ravel()].reshape(np.shape(energy) + pixel.shape) * u.cm**2 * u.s


def exposure_in_pixels(
    response: Response, cube: LivetimeCube, mev: np.ndarray, pixels: np.ndarray | slice
) -> np.ndarray:
    """As `livetime_exposure`, in some pixels of the cube.

    Parameters
    ----------
    response : Response
    cube : LivetimeCube
    mev : ndarray, shape (n,)
        Energies.
    pixels : ndarray of int, or slice
        Of the cube.

    Returns
    -------
    ndarray, shape (n, n_pixels)
        In cm2 s.
    """
    livetime = cube.livetime[pixels].T
    total = np.zeros((mev.size, livetime.shape[1]))
    for area in response.areas:
        by_cosine = area.value(mev, cube.cos_theta)
        plain = by_cosine @ livetime
        if cube.weighted is None:
            total += plain
        else:
            offset, slope = area.livetime_factors(mev)
            weighted = by_cosine @ cube.weighted[pixels].T
            total += offset[:, None] * plain + slope[:, None] * weighted
    return total


def survey_exposure(
    response: Response,
    band: Band,
    declination: Quantity,
    *,
    rocking: Quantity,
    max_zenith: Quantity,
    index: float = 2.3,
) -> Quantity:
    """Exposure of a band per unit of time in survey mode.

    Parameters
    ----------
    response : Response
        The livetime profile of the response is not used.
    band : Band
    declination : Quantity, any shape
    rocking, max_zenith : Quantity
        As in `survey_profile`.
    index : float
        Photon index over which the effective area is averaged in the band.

    Returns
    -------
    Quantity, shape of ``declination``
        In cm2: the effective area, averaged over all time, including the time when the position is
        out of view. Interpolated in the sine of the declination, accurate to 0.5 %.
    """
    cosine, livetime = _profiles(degrees(rocking), degrees(max_zenith))
    area = response.band_area_by_cosine(band, cosine, index=index).to_value(u.cm**2)
    sine = np.abs(np.sin(np.radians(degrees(declination))))
    return np.interp(sine, np.linspace(0, 1, _NODES), livetime @ area) * u.cm**2


@lru_cache(maxsize=16)
def _profiles(rocking: float, max_zenith: float) -> tuple[np.ndarray, np.ndarray]:
    """Cosines, and the livetime at each for sines of declination from 0 to 1."""

    def compute() -> dict[str, np.ndarray]:
        profiles = [
            survey_profile(
                declination=np.arcsin(sine) * u.rad,
                rocking=rocking * u.deg,
                max_zenith=max_zenith * u.deg,
            )
            for sine in np.linspace(0, 1, _NODES)
        ]
        livetime = np.array([profile.livetime for profile in profiles])
        return {"cosine": profiles[0].cos_theta, "livetime": livetime}

    key = {
        "array": "survey profiles",
        "version": _VERSION,
        "nodes": _NODES,
        "rocking": rocking,
        "max_zenith": max_zenith,
    }
    found = cached_arrays(key, compute)
    return found["cosine"], found["livetime"]
