"""Stars and galaxies of a field as a plugin."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.plugins.meerlicht.colours import all_magnitudes
from gammafind.plugins.meerlicht.filters import FILTERS, photon_flux
from gammafind.plugins.meerlicht.star_counts import (
    LIMIT,
    draw_magnitudes,
    galaxies_brighter,
    sources_per_degree,
    stars_brighter,
)
from gammafind.roles.population import SourcePopulation
from gammafind.sky.projection import deproject, positions_of, tangent_basis
from gammafind.units import degrees
from gammafind.utils.checks import require

_STEP = 0.02
"""Magnitude step of the tabulated counts: fine enough for interpolation."""
_GALAXIES = 850.0
"""Galaxies per square degree brighter than 20.5 in q."""
_TEMPERATURE = 5200.0
"""Median black-body temperature of stars, in K."""
_GALAXY_TEMPERATURE = 4800.0
"""Median black-body temperature of galaxies, in K."""


@dataclass(frozen=True, kw_only=True)
class MeerlichtField(SourcePopulation):
    """Stars and galaxies of one field, with the density of its Galactic latitude.

    Parameters
    ----------
    ra, dec : Quantity
        Middle of the field.
    size : Quantity
        Side of the field, a square in the tangent plane.
    density : float, optional
        Stars and galaxies per square degree brighter than 20.5 in q; by default the mean of
        MeerLICHT at the Galactic latitude of the field. 36700 means 1e5 in a full frame.
    galaxies : float
        Number of galaxies among them.
    brightest, faintest : float
        AB magnitudes in q between which sources are drawn.

    Raises
    ------
    OptionError
        If an option is out of range.

    Notes
    -----
    Magnitudes of stars follow Bahcall & Soneira (1980), those of galaxies a power law. Colours are
    those of black bodies. ``flux`` is the flux in q.
    """

    name: ClassVar[str] = "meerlicht-field"
    provides: ClassVar[tuple[str, ...]] = (
        *(f"mag_{name}" for name in FILTERS),
        "radius",
        "sersic_index",
        "axis_ratio",
        "position_angle",
    )

    ra: Quantity = 305.0 * u.deg
    dec: Quantity = -32.0 * u.deg
    size: Quantity = 0.33 * u.deg
    density: float | None = None
    galaxies: float = _GALAXIES
    brightest: float = 9.0
    faintest: float = 22.5

    def __post_init__(self) -> None:
        if not 0 < degrees(self.size, name="size") < 90:
            raise OptionError(f"the field is {self.size} wide", remedy="Give 0 to 90 deg.")
        on_sphere = abs(degrees(self.dec, name="dec")) <= 90
        require("dec", self.dec, on_sphere, "It must be between -90 and 90 deg.")
        degrees(self.ra, name="ra")
        require("ra", self.ra, True, "It must be a finite number.")
        if not 5 <= self.brightest < LIMIT <= self.faintest <= 30:
            raise OptionError(
                f"magnitudes run from {self.brightest} to {self.faintest}",
                remedy=f"The first must be 5 or more, the last {LIMIT} to 30.",
            )
        if not (self.galaxies >= 0 and self.galaxies <= self.total < np.inf):
            raise OptionError(
                f"there are {self.galaxies} galaxies among {self.total:.0f} sources",
                remedy="Both must be finite and not negative, galaxies not more than all.",
            )

    @functools.cached_property
    def centre(self) -> SkyCoord:
        """Middle of the field."""
        return SkyCoord(self.ra, self.dec)

    @property
    def total(self) -> float:
        """Sources per square degree brighter than 20.5 in q."""
        if self.density is not None:
            return float(self.density)
        return sources_per_degree(self.centre.galactic.b.deg)

    def _sample(self, rng: np.random.Generator) -> QTable:
        steps = np.arange(self.brightest, self.faintest + _STEP / 2, _STEP)
        galactic = self.centre.galactic
        stars = stars_brighter(np.append(steps, LIMIT), galactic.l.deg, galactic.b.deg)
        stars = stars[:-1] / stars[-1] * (self.total - self.galaxies)
        galaxies = galaxies_brighter(steps) * self.galaxies
        area = degrees(self.size, name="size") ** 2
        mag = [
            draw_magnitudes(n, steps, rng.poisson((n[-1] - n[0]) * area), rng=rng)
            for n in (stars, galaxies)
        ]
        return self._table(*mag, rng)

    def _table(self, stars: np.ndarray, galaxies: np.ndarray, rng: np.random.Generator) -> QTable:
        n, mag = len(stars) + len(galaxies), np.concatenate([stars, galaxies])
        half = degrees(self.size, name="size") / 2
        basis = tangent_basis(degrees(self.ra, name="ra"), degrees(self.dec, name="dec"))
        places = deproject(rng.uniform(-half, half, n), rng.uniform(-half, half, n), basis)
        positions = positions_of(places, "icrs")
        median = np.where(np.arange(n) < len(stars), _TEMPERATURE, _GALAXY_TEMPERATURE)
        temperature = np.clip(median * rng.lognormal(0, 0.2, n), 2800, 30000)
        table = QTable(
            {
                "name": np.array([f"S{i:06d}" for i in range(n)], dtype=str),
                "ra": positions.ra,
                "dec": positions.dec,
                "class_label": np.repeat(["star", "galaxy"], [len(stars), len(galaxies)]),
                "flux": photon_flux(mag, FILTERS["q"]) * u.Unit("cm-2 s-1"),
            }
        )
        for name, values in all_magnitudes(mag, temperature).items():
            table[name] = values * u.mag
        for name, values in _shapes(galaxies, rng).items():
            empty = np.full(len(stars), np.nan) * getattr(values, "unit", 1)
            table[name] = np.concatenate([empty, values])
        return table


def _shapes(mag: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Half-light radius, Sersic index, axis ratio and position angle of galaxies.

    Radii are lognormal around 1.6 arcsec at magnitude 19, smaller by 0.1 dex per magnitude. 30 % of
    the galaxies have Sersic index 4, the others are disks with index 1.
    """
    n = len(mag)
    radius = 1.6 * 10 ** (-0.1 * (mag - 19)) * rng.lognormal(0, 0.4, n)
    index = np.where(rng.uniform(size=n) < 0.3, 4.0, 1.0)
    return {
        "radius": np.clip(radius, 0.2, 30) * u.arcsec,
        "sersic_index": index,
        "axis_ratio": rng.uniform(0.25, 1.0, n),
        "position_angle": rng.uniform(0, 180, n) * u.deg,
    }
