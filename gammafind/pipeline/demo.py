"""The real skies that come with the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.embedded import demo_counts_path, load_high_energy_sky
from gammafind.presets.preset import Preset, build, load_preset
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.fits.selections import Circle, in_circle
from gammafind.sky.skymap import SkyMap
from gammafind.units import degrees
from gammafind.utils.names import close_match

_PLACES = {"M 87": (187.706, 12.391), "Crab": (83.633, 22.014), "Mrk 421": (166.114, 38.209)}
"""Right ascension and declination in degrees of places that examples name."""


@dataclass(frozen=True)
class DemoSky:
    """A sky of the demo, and how it is searched.

    Attributes
    ----------
    preset : str or Preset
    reference : str
        Catalogue to compare with.
    read : callable
        Returns the counts for the renderer of the preset.
    beside : tuple of str
        Further localisers that search it.
    """

    preset: str | Preset
    reference: str
    read: Callable[[SkyRenderer], SkyMap]
    beside: tuple[str, ...] = ()


DEMO_SKIES = {
    "2-20GeV": DemoSky(
        preset="fermi-lat-psf3-2-20",
        reference="4fgl-dr2",
        read=lambda renderer: renderer.read_counts([demo_counts_path()]),
        beside=("likelihood",),
    ),
    "10-2000GeV": DemoSky(
        preset="fermi-lat-10-2000",
        reference="3fhl",
        read=lambda _: load_high_energy_sky(),
    ),
}
"""Skies by the name of their energies; the first is that of the demo by default."""


def demo_sky(
    centre: SkyCoord | str | None = None,
    *,
    radius: Quantity = 7.5 * u.deg,
    sky: str = "2-20GeV",
) -> SkyMap:
    """Return a real Fermi-LAT sky that comes with the package.

    Parameters
    ----------
    centre : SkyCoord or {"M 87", "Crab", "Mrk 421"}, optional
        Middle of a region; the whole sky by default.
    radius : Quantity
        Angle from the centre within which pixels are valid; all others hold no data.
    sky : {"2-20GeV", "10-2000GeV"}
        ``"2-20GeV"``: 573 weeks, UltracleanVeto, PSF3, in one band, on 196,608 HEALPix pixels of
        0.46 deg. ``"10-2000GeV"``: 98 months, Source, all types, in the bands 10-30, 30-100 and
        100-2000 GeV, on 12,582,912 pixels of 0.057 deg each.

    Returns
    -------
    SkyMap
        Counts, in Galactic coordinates.

    Raises
    ------
    OptionError
        If there is no such sky.

    References
    ----------
    arXiv:2604.08648, whose authors published counts and exposure of 2-20 GeV;
    gammapy/gamma-sky for the counts above 10 GeV.

    Examples
    --------
    >>> import gammafind
    >>> int(gammafind.demo_sky().values[0].sum())
    1988886
    >>> int(gammafind.demo_sky("M 87").valid[0].sum())
    844
    >>> [int(counts.sum()) for counts in gammafind.demo_sky(sky="10-2000GeV").values]
    [657117, 134471, 27521]
    """
    if sky not in DEMO_SKIES:
        raise OptionError(
            f"there is no sky {sky!r}{close_match(sky, DEMO_SKIES)}",
            remedy=f"Known are {', '.join(DEMO_SKIES)}.",
        )
    chosen = DEMO_SKIES[sky]
    counts = chosen.read(build(load_preset(chosen.preset).renderer))
    counts = replace(counts, meta={**counts.meta, "preset": chosen.preset})
    if centre is None:
        return counts
    place = SkyCoord(*_PLACES[centre], unit="deg") if isinstance(centre, str) else centre
    circle = Circle(place.icrs.ra.deg, place.icrs.dec.deg, degrees(radius, name="radius"))
    valid = tuple(in_circle(circle, pixels) for pixels in counts.pixels)
    values = tuple(
        np.where(inside, array, 0) for inside, array in zip(valid, counts.values, strict=True)
    )
    return replace(counts, values=values, valid=valid)
