"""A radio survey of the whole sky: fluxes in Jy, a Gaussian beam, and quasars to look for."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind import Band, HealpixPixels, RadialPsf, SkyRenderer, SourcePopulation, hookimpl
from gammafind.sky.areas import pixel_areas
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.projection import vectors_in


@dataclass(frozen=True, kw_only=True)
class Survey(SkyRenderer):
    """One band at 1.4 GHz, a flat background, and point sources seen through the beam."""

    name = "survey"
    presets = ("gammafind_radio:survey.toml",)
    flux_unit = u.Jy
    nside: int = 128
    beam: u.Quantity = 0.5 * u.deg
    counts_per_jansky: float = 2000.0
    background_per_steradian: float = 2e4

    @property
    def bands(self):
        """Band of the survey."""
        return (Band("1.4 GHz", 1.3 * u.GHz, 1.5 * u.GHz),)

    @property
    def pixels(self):
        """Pixels of the survey."""
        return (HealpixPixels(self.nside),)

    def psfs(self):
        """Gaussian beam."""
        sigma = self.beam.to_value(u.rad)
        theta = np.linspace(0, 5 * sigma, 200)
        return (RadialPsf(theta, np.exp(-0.5 * (theta / sigma) ** 2)),)

    def _exposure(self, pixels):
        return tuple(np.full(one.shape, self.counts_per_jansky) for one in pixels)

    def _background(self, pixels):
        density = self.background_per_steradian
        return {"sky": tuple(density * pixel_areas(one).reshape(one.shape) for one in pixels)}

    def _render(self, sources, pixels):
        positions = SkyCoord(sources["ra"], sources["dec"])
        counts = sources["flux"].to_value(u.Jy) * self.counts_per_jansky
        return tuple(
            sky_counts(vectors_in(one.frame, positions), counts, one, psf).reshape(one.shape)
            for one, psf in zip(pixels, self.psfs(), strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class Quasars(SourcePopulation):
    """Quasars all over the sky, as many above each flux as in a static Euclidean universe."""

    name = "quasars"
    flux_unit = u.Jy
    number: int = 200
    faintest: u.Quantity = 0.1 * u.Jy

    def _sample(self, rng):
        return QTable(
            {
                "name": [f"quasar {i}" for i in range(self.number)],
                "ra": rng.uniform(0, 360, self.number) * u.deg,
                "dec": np.degrees(np.arcsin(rng.uniform(-1, 1, self.number))) * u.deg,
                "class_label": ["quasar"] * self.number,
                "flux": self.faintest * rng.random(self.number) ** (-2 / 3),
            }
        )


@hookimpl
def gammafind_renderers():
    """Return the renderers of this plugin."""
    return [Survey]


@hookimpl
def gammafind_populations():
    """Return the populations of this plugin."""
    return [Quasars]
