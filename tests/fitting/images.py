"""Images of stars of known places on a flat sky."""

from __future__ import annotations

import astropy.units as u
import numpy as np

from gammafind.plugins.meerlicht.moffat import field_psf
from gammafind.plugins.meerlicht.stars import draw_stars
from gammafind.sky.bands import Band
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import PlainPixels
from gammafind.sky.skymap import SkyMap

BAND = (Band("q", 440 * u.nm, 720 * u.nm),)
SKY, NOISE = 100.0, 10.0
FLAT = np.array([1, 0, 0, 0, 0, 0.0])


def stars_on_sky(x, y, electrons, shape, *, fwhm=5.0, valid=None, seed=4) -> Observation:
    """Stars on a sky of 100 electrons with a noise of 10 electrons, exposure 2 cm2 s."""
    image = np.full(shape, SKY, dtype=np.float32)
    places = (np.asarray(values, dtype=float) for values in (x, y, electrons))
    draw_stars(image, *places, np.full(len(x), fwhm), beta=3.0)
    image += np.random.default_rng(seed).normal(0, NOISE, shape).astype(np.float32)
    pixels = (PlainPixels.of(shape, 0.564 * u.arcsec),)
    known = None if valid is None else (valid,)

    def flat(value: float, kind: str) -> SkyMap:
        return SkyMap(BAND, pixels, (np.full(shape, value, dtype=np.float32),), kind)

    scale = pixels[0].pixel_size.to_value("rad")
    return Observation(
        counts=SkyMap(BAND, pixels, (image,), "electrons", known),
        background={"sky": flat(SKY, "electrons")},
        exposure=flat(2.0, "exposure"),
        psfs=(field_psf(fwhm, 3.0, FLAT, shape, scale),),
        noise=flat(NOISE, "noise"),
    )
