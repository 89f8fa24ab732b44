"""The real sky that comes with the package."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity

from gammafind.plugins.fermi_lat.embedded import demo_counts_path
from gammafind.presets.preset import build, load_preset
from gammafind.sky.patches import PatchGrid, patch_widths
from gammafind.sky.skymap import SkyMap

__all__ = ["DEMO_PRESET", "demo_sky"]

DEMO_PRESET = "fermi-lat-psf3-2-20"
"""Preset of the sky of the demo."""

_PLACES = {"M 87": (187.706, 12.391), "Crab": (83.633, 22.014), "Mrk 421": (166.114, 38.209)}
"""Right ascension and declination in degrees of places that examples name."""


def demo_sky(
    centre: SkyCoord | str | None = None, *, width: Quantity = 12.8 * u.deg, seed: int = 0
) -> SkyMap:
    """Return the real Fermi-LAT sky at 2-20 GeV that comes with the package.

    Parameters
    ----------
    centre : SkyCoord or {"M 87", "Crab", "Mrk 421"}, optional
        Middle of a square that is cut out; the whole sky by default.
    width : Quantity
        Side of the square, an angle.
    seed : int
        Of the random generator that places photons within the HEALPix pixels, for the square.

    Returns
    -------
    SkyMap
        Counts of 573 weeks, UltracleanVeto, PSF3, in one band: on HEALPix pixels of 0.46 deg in
        Galactic coordinates, or on a tangent plane of about 0.4 deg pixels.

    References
    ----------
    arXiv:2604.08648, whose authors published counts and exposure.

    Examples
    --------
    >>> import gammafind
    >>> sky = gammafind.demo_sky()
    >>> int(sky.values[0].sum())
    1988900
    >>> gammafind.demo_sky("M 87").values[0].shape
    (32, 32)
    """
    whole = build(load_preset(DEMO_PRESET).renderer).read_counts([demo_counts_path()])
    if centre is None:
        return whole
    place = SkyCoord(*_PLACES[centre], unit="deg") if isinstance(centre, str) else centre
    here = place.galactic
    grid = PatchGrid(np.array([here.l.deg]), np.array([here.b.deg]), width)
    (side,) = patch_widths(whole.pixels, grid)
    (counts,) = grid.cut(whole, (side,), rng=np.random.default_rng(seed))
    return SkyMap(whole.bands, (grid.pixels(0, side),), (counts[0].astype(int),))
