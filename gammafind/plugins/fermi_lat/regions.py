"""The part of the sky that photon lists cover, and images of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.sky.fits.facts import FileFacts
from gammafind.sky.fits.selections import Circle
from gammafind.sky.pixels import WcsPixels
from gammafind.sky.projection import north_up

_LARGEST = 40.0
"""Radius in degrees of the largest region that is an image; larger ones are HEALPix maps."""
_STEPS = (0.05, 0.5)
"""Smallest and largest pixels in degrees, as those of nside 1024 and 128."""


def common_region(files: Sequence[FileFacts]) -> Circle | None:
    """Smallest circle around the regions of photon lists; None if it is no small part of the sky.

    Parameters
    ----------
    files : sequence of FileFacts
    """
    circles = [file.circle for file in files]
    if not circles or any(circle is None for circle in circles):
        return None
    middle = _middle(circles)
    reach = max(
        middle.separation(SkyCoord(one.ra, one.dec, unit="deg")).deg + one.radius for one in circles
    )
    if reach > _LARGEST:
        return None
    return Circle(ra=float(middle.ra.deg), dec=float(middle.dec.deg), radius=float(reach))


def region_pixels(region: Circle, sizes: Sequence[float]) -> tuple[WcsPixels, ...]:
    """Galactic images of equal-area pixels that hold a region.

    Parameters
    ----------
    region : Circle
    sizes : sequence of float
        Side of the pixels of each image in degrees, at most.
    """
    centre = SkyCoord(region.ra, region.dec, unit="deg").galactic
    images = []
    for size in np.clip(sizes, *_STEPS):
        n = int(np.ceil(2 * region.radius / size)) + 1
        wcs = north_up(["GLON-ZEA", "GLAT-ZEA"], [centre.l.deg, centre.b.deg], (n, n), float(size))
        wcs.wcs.set()
        images.append(WcsPixels(wcs, (n, n)))
    return tuple(images)


def _middle(circles: Sequence[Circle]) -> SkyCoord:
    if len(set(circles)) == 1:
        return SkyCoord(circles[0].ra, circles[0].dec, unit="deg", frame="icrs")
    centres = SkyCoord([one.ra for one in circles], [one.dec for one in circles], unit="deg")
    x, y, z = centres.cartesian.xyz.value.mean(axis=1)
    mean = SkyCoord(x, y, z, representation_type="cartesian", frame="icrs")
    mean.representation_type = "spherical"
    return SkyCoord(mean.ra, mean.dec, frame="icrs")
