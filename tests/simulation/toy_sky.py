"""A small sky: an instrument of two bands and two years, and sources of two classes that vary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind import HealpixPixels, RadialPsf, SkyRenderer, SourcePopulation, hookimpl
from gammafind.sky.bands import energy_bands

BANDS = energy_bands([1, 2, 20] * u.GeV)
PIXELS = (HealpixPixels(4), HealpixPixels(8))
EXPOSURE = 1e11
FLUX = u.Unit("cm-2 s-1")


@dataclass(frozen=True, kw_only=True)
class TwoYears(SkyRenderer):
    """Each source in one pixel, half of its flux in each band; a flat background."""

    name: ClassVar[str] = "two-years"
    presets: ClassVar[tuple[str, ...]] = ("tests.simulation:two_years.toml",)
    classes: ClassVar[tuple[str, ...]] = ("A", "B")

    year: int = 0

    @property
    def bands(self):
        return BANDS

    @property
    def pixels(self):
        return PIXELS

    @property
    def epochs(self):
        return () if self.year else ("first", "second")

    def _at_epoch(self, index):
        return replace(self, year=index + 1)

    def psfs(self):
        theta = np.linspace(0, 0.2, 200)
        return (RadialPsf(theta, np.exp(-0.5 * (theta / 0.03) ** 2)),) * 2

    @property
    def _time(self):
        return 0.5 if self.year else 1.0

    def _exposure(self, pixels):
        return tuple(np.full(each.shape, EXPOSURE * self._time) for each in pixels)

    def _background(self, pixels):
        return {"flat": tuple(np.full(each.shape, 0.8 * self._time) for each in pixels)}

    def _render(self, sources, pixels):
        flux = sources["flux"].to_value(FLUX)
        if self.year and "flux_history" in sources.colnames:
            flux = flux * sources["flux_history"][:, self.year - 1]
        positions = SkyCoord(sources["ra"], sources["dec"])
        maps = []
        for each in pixels:
            counts = np.zeros(each.shape, np.float32)
            np.add.at(counts, each.pixel_of(positions), 0.5 * flux * EXPOSURE * self._time)
            maps.append(counts)
        return tuple(maps)


@dataclass(frozen=True, kw_only=True)
class Few(SourcePopulation):
    """Sources of two classes anywhere on the sky; the first class varies."""

    name: ClassVar[str] = "few"
    provides: ClassVar[tuple[str, ...]] = ("flux_history",)

    n: int = 30

    def _sample(self, rng):
        first_year = np.where(np.arange(self.n) % 2, 1.0, rng.uniform(0.2, 1.8, self.n))
        return QTable(
            {
                "name": [f"toy {i}" for i in range(self.n)],
                "ra": rng.uniform(0, 360, self.n) * u.deg,
                "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, self.n))) * u.deg,
                "class_label": np.array(["A", "B"])[np.arange(self.n) % 2],
                "flux": 1e-9 * rng.lognormal(size=self.n) * FLUX,
                "flux_history": np.stack([first_year, 2 - first_year], axis=1),
            }
        )


@hookimpl
def gammafind_renderers():
    return [TwoYears]


@hookimpl
def gammafind_populations():
    return [Few]
