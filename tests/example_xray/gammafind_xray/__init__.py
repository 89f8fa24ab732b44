"""An all-sky X-ray telescope: two bands, a PSF that grows with energy, AGN and stars."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind import Band, HealpixPixels, RadialPsf, SkyRenderer, SourcePopulation, hookimpl
from gammafind.sky.areas import pixel_areas
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.projection import vectors_in

AREA = (1.2e3, 4e2) * u.cm**2  # effective area in the soft and the hard band
SHARES = {"agn": (0.6, 0.4), "star": (0.95, 0.05)}  # of the photons of a source, in each band


@dataclass(frozen=True, kw_only=True)
class Telescope(SkyRenderer):
    """Two bands, a PSF of 0.4 and 0.5 deg, and a soft Galactic background."""

    name = "xray-telescope"
    classes = ("agn", "star")
    presets = ("gammafind_xray:xray.toml",)
    livetime: u.Quantity = 1e8 * u.s

    @property
    def bands(self):
        return (Band("soft", 0.5 * u.keV, 2 * u.keV), Band("hard", 2 * u.keV, 8 * u.keV))

    @property
    def pixels(self):
        return (HealpixPixels(128), HealpixPixels(128))

    def psfs(self):
        theta = np.linspace(0, np.radians(4), 400)
        sigmas = np.radians([0.4, 0.5])
        return tuple(RadialPsf(theta, np.exp(-0.5 * (theta / s) ** 2)) for s in sigmas)

    def _exposure(self, pixels):
        exposures = (AREA * self.livetime).to_value(u.cm**2 * u.s)
        return tuple(np.full(one.shape, e) for one, e in zip(pixels, exposures, strict=True))

    def _background(self, pixels):
        maps = []
        for one, level, glow in zip(pixels, (2e4, 8e3), (3e4, 1e3), strict=True):
            height = np.abs(one.centres().galactic.b.deg)
            maps.append((level + glow * np.exp(-height / 20)) * pixel_areas(one).reshape(one.shape))
        return {"sky": tuple(maps)}

    def _render(self, sources, pixels):
        places = SkyCoord(sources["ra"], sources["dec"])
        shares = np.array([SHARES[name] for name in sources["class_label"]]).reshape(-1, 2)
        photons = shares * sources["flux"].to_value(self.flux_unit)[:, None]
        maps = []
        for i, (one, psf) in enumerate(zip(pixels, self.psfs(), strict=True)):
            counts = photons[:, i] * (AREA[i] * self.livetime).to_value(u.cm**2 * u.s)
            vectors = vectors_in(one.frame, places)
            maps.append(sky_counts(vectors, counts, one, psf).reshape(one.shape))
        return tuple(maps)


@dataclass(frozen=True, kw_only=True)
class XraySky(SourcePopulation):
    """AGN all over the sky, and stars near the plane; as many as in a static Euclidean universe."""

    name = "xray-sky"
    number: int = 1500
    faintest: u.Quantity = 4e-10 / u.cm**2 / u.s

    def _sample(self, rng):
        is_star = rng.random(self.number) < 0.3
        sine = rng.uniform(-1, 1, self.number)
        sine = np.where(is_star, np.clip(rng.laplace(0, 0.2, self.number), -1, 1), sine)
        angles = rng.uniform(0, 360, self.number), np.degrees(np.arcsin(sine))
        places = SkyCoord(*angles, unit="deg", frame="galactic").icrs
        return QTable(
            {
                "name": [f"X{i}" for i in range(self.number)],
                "ra": places.ra,
                "dec": places.dec,
                "class_label": np.where(is_star, "star", "agn"),
                "flux": self.faintest * rng.random(self.number) ** (-2 / 3),
            }
        )


@hookimpl
def gammafind_renderers():
    return [Telescope]


@hookimpl
def gammafind_populations():
    return [XraySky]
