"""An instrument of few pixels, and a localiser that takes bright pixels for sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable

from gammafind import HealpixPixels, Localiser, RadialPsf, SkyMap, SkyRenderer, hookimpl
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import write_counts
from gammafind.utils.progress import track

BANDS = energy_bands([2, 20] * u.GeV)
PIXELS = HealpixPixels(16)
EXPOSURE = 1e11
SOURCES = {100: 400, 1500: 90, 3000: 30}
"""Counts of the sources by pixel; all other pixels hold one count."""


@dataclass(frozen=True, kw_only=True)
class Toy(SkyRenderer):
    """One band, flat background, constant exposure."""

    name: ClassVar[str] = "toy"
    presets: ClassVar[tuple[str, ...]] = ("tests.cli:toy.toml",)

    exposure_source: str = "constant"

    @property
    def bands(self):
        return BANDS

    @property
    def pixels(self):
        return (PIXELS,)

    def psfs(self):
        theta = np.linspace(0, 0.2, 200)
        return (RadialPsf(theta, np.exp(-0.5 * (theta / 0.03) ** 2)),)

    def _exposure(self, pixels):
        return (np.full(pixels[0].shape, EXPOSURE),)

    def _background(self, pixels):
        return {"flat": (np.ones(pixels[0].shape),)}

    def _render(self, sources, pixels):
        return (np.zeros(pixels[0].shape),)


@dataclass(frozen=True, kw_only=True)
class Bright(Localiser):
    """Pixels of many counts, each a source of the flux that counts over exposure give."""

    name: ClassVar[str] = "bright"
    threshold: float = 16.0
    interrupted: bool = False

    def _localise(self, patches):
        raise NotImplementedError

    def _localise_sky(self, observation, grid, n_pixels, rng):
        if self.interrupted:
            raise KeyboardInterrupt
        counts, sky = observation.counts.values[0], observation.counts.pixels[0]
        above = [i for i in track(np.flatnonzero(counts >= self.threshold), "pixels")]
        positions = sky.centres()[above].icrs
        background = observation.background["flat"].values[0][above]
        return QTable(
            {
                "ra": positions.ra.to(u.deg),
                "dec": positions.dec.to(u.deg),
                "score": counts[above] / background,
                "ts": counts[above] / background,
                "pos_err": np.full(len(above), 0.5) * u.deg,
                "flux": counts[above] / observation.exposure.values[0][above] * u.Unit("cm-2 s-1"),
            }
        )


@dataclass(frozen=True, kw_only=True)
class Probable(Localiser):
    """Pixels of many counts, each with a probability, and nothing measured."""

    name: ClassVar[str] = "probable"
    score_name: ClassVar[str] = "probability"
    scores_are_probabilities: ClassVar[bool] = True
    published_score: ClassVar[float] = 0.4

    def _localise(self, patches):
        raise NotImplementedError

    def _localise_sky(self, observation, grid, n_pixels, rng):
        counts, sky = observation.counts.values[0], observation.counts.pixels[0]
        above = np.flatnonzero(counts > 1)
        positions = sky.centres()[above].icrs
        score = counts[above] / (counts[above] + 100)
        return QTable({"ra": positions.ra, "dec": positions.dec, "score": score})


@hookimpl
def gammafind_renderers():
    return [Toy]


@hookimpl
def gammafind_localisers():
    return [Bright, Probable]


def toy_counts(sources: dict[int, int] = SOURCES, floor: int = 1) -> SkyMap:
    """Map of the toy sky."""
    values = np.full(PIXELS.shape, floor)
    for pixel, counts in sources.items():
        values[pixel] = counts
    return SkyMap(BANDS, (PIXELS,), (values,))


def toy_file(path: Path, sky: SkyMap | None = None) -> Path:
    """Write the toy sky as gtbin would."""
    return write_counts(sky or toy_counts(), path)


def toy_truth() -> QTable:
    """Reference catalogue of the toy sky, with one source more."""
    pixels = [*SOURCES, 2000]
    positions = PIXELS.centres()[pixels].icrs
    return QTable(
        {
            "name": [f"true {pixel}" for pixel in pixels],
            "ra": positions.ra.to(u.deg),
            "dec": positions.dec.to(u.deg),
            "flux": np.array([*SOURCES.values(), 5]) / EXPOSURE * u.Unit("cm-2 s-1"),
        }
    )


def bare_file(path: Path) -> Path:
    """Write the toy sky as healpy would: no energies."""
    with fits.open(toy_file(path.with_name("with-edges.fits"))) as file:
        fits.HDUList([file[0], file["SKYMAP"]]).writeto(path)
    return path


def exposure_file(path: Path, exposure: float) -> Path:
    """Write a constant exposure as a healpy map."""
    column = fits.Column("EXPOSURE", "D", unit="cm2 s", array=np.full(PIXELS.shape, exposure))
    table = fits.BinTableHDU.from_columns([column])
    table.header.update(
        PIXTYPE="HEALPIX", ORDERING="RING", NSIDE=PIXELS.nside, COORDSYS="G", INDXSCHM="IMPLICIT"
    )
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return path
