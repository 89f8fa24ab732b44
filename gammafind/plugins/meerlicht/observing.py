"""Measurement of sky, noise and seeing from an image."""

from __future__ import annotations

import logging

import numpy as np
from astropy.units import Quantity

from gammafind.errors import InputDataError
from gammafind.fitting.image.seeing import field_of_widths, star_widths
from gammafind.fitting.image.sky import sky_and_noise
from gammafind.plugins.meerlicht.camera import Camera
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap

_LEAST_STARS = 5
"""Stars needed for a reliable median of the seeing."""
_FULL = 0.98
"""Share of the full well from which a pixel is saturated: read noise may lower its value."""

_log = logging.getLogger("gammafind")


def observe_frame(counts: SkyMap, camera: Camera) -> Observation:
    """Combine an image in electrons with its measured sky, noise and PSF.

    Parameters
    ----------
    counts : SkyMap
        Electrons. The pixel size is that of the map, not that of the options.
    camera : Camera
        Its seeing is used if fewer than five stars are suitable for a measurement.

    Raises
    ------
    InputDataError
        If the image has no noise, or too few pixels.
    """
    image, valid = counts.values[0], counts.valid[0]
    try:
        sky, noise = sky_and_noise(image, valid)
    except InputDataError as error:
        names = ", ".join(entry["name"] for entry in counts.meta.get("inputs", ()))
        raise InputDataError(error.fault, path=names or None, remedy=error.remedy) from error
    pixel_size = counts.pixels[0].pixel_size
    fwhm, widths = _seeing(image, sky, noise, valid, camera, pixel_size)
    return Observation(
        counts=counts,
        background={"sky": SkyMap(counts.bands, counts.pixels, (sky,), "electrons")},
        exposure=camera.exposure(counts.pixels),
        psfs=(camera.psf_on(image.shape, fwhm, widths, pixel_size),),
        noise=SkyMap(counts.bands, counts.pixels, (noise,), "noise"),
        full=_FULL * camera.detector.full_well,
    )


def _seeing(
    image: np.ndarray,
    sky: np.ndarray,
    noise: np.ndarray,
    valid: np.ndarray,
    camera: Camera,
    pixel_size: Quantity,
) -> tuple[float, np.ndarray]:
    """Width of the PSF in pixels, and its variation across the image."""
    full, guess = camera.detector.full_well, camera.fwhm_on(pixel_size)
    x, y, fwhm = star_widths(image - sky, noise, valid, beta=camera.beta, guess=guess, full=full)
    if len(fwhm) < _LEAST_STARS:
        _log.info("only %d stars show the seeing; using the seeing of the preset", len(fwhm))
        return guess, np.array([1.0, *camera.seeing_slopes])
    middle, widths = field_of_widths(x, y, fwhm, image.shape)
    arcsec = middle * pixel_size.to_value("arcsec")
    _log.info("seeing %.2f arcsec (FWHM), from %d stars", arcsec, len(fwhm))
    return middle, widths
