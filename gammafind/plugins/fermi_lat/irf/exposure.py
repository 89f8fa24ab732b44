"""Exposure over the sky, computed from a livetime cube."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity

from gammafind.plugins.fermi_lat.irf.livetime import LivetimeCube
from gammafind.plugins.fermi_lat.irf.response import Response

__all__ = ["livetime_exposure"]


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

    Raises
    ------
    OptionError
        If an energy lies outside the response.
    """
    pixel = cube.pixels.pixel_of(positions)
    used, inverse = np.unique(pixel, return_inverse=True)
    mev = response.energies(energy)
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
