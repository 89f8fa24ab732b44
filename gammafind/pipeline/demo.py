"""The real sky that comes with the package."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity

from gammafind.plugins.fermi_lat.embedded import demo_counts_path
from gammafind.presets.preset import build, load_preset
from gammafind.sky.skymap import SkyMap

DEMO_PRESET = "fermi-lat-psf3-2-20"
"""Preset of the sky of the demo."""

_PLACES = {"M 87": (187.706, 12.391), "Crab": (83.633, 22.014), "Mrk 421": (166.114, 38.209)}
"""Right ascension and declination in degrees of places that examples name."""


def demo_sky(centre: SkyCoord | str | None = None, *, radius: Quantity = 7.5 * u.deg) -> SkyMap:
    """Return the real Fermi-LAT sky at 2-20 GeV that comes with the package.

    Parameters
    ----------
    centre : SkyCoord or {"M 87", "Crab", "Mrk 421"}, optional
        Middle of a region; the whole sky by default.
    radius : Quantity
        Angle from the centre within which pixels are valid; all others hold no data.

    Returns
    -------
    SkyMap
        Counts of 573 weeks, UltracleanVeto, PSF3, in one band, on 196,608 HEALPix pixels of
        0.46 deg in Galactic coordinates.

    References
    ----------
    arXiv:2604.08648, whose authors published counts and exposure.

    Examples
    --------
    >>> import gammafind
    >>> int(gammafind.demo_sky().values[0].sum())
    1988886
    >>> int(gammafind.demo_sky("M 87").valid[0].sum())
    844
    """
    sky = build(load_preset(DEMO_PRESET).renderer).read_counts([demo_counts_path()])
    if centre is None:
        return sky
    place = SkyCoord(*_PLACES[centre], unit="deg") if isinstance(centre, str) else centre
    inside = sky.pixels[0].centres().separation(place) <= radius
    values = tuple(np.where(inside, counts, 0) for counts in sky.values)
    return replace(sky, values=values, valid=(inside,))
