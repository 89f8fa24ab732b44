"""Skies whose background differs from the model."""

from __future__ import annotations

from dataclasses import replace

import healpy as hp
import numpy as np

from gammafind.sky.harmonics import SIGMA_OF_FWHM, convolve, gaussian_window
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.training.draws import (
    CLUMPS,
    CLUMPS_A_PATCH,
    GRAIN,
    WAVES,
    DrawOptions,
    clump_heights,
    off_by,
)

_NSIDE = 64
_FINE = 256
"""Of the map on which clumps are laid."""
_FAINTEST = 0.01
"""Share of the sky from whose background the faintest is taken."""
_REGION = 30.0
"""Full width in degrees of the regions in which a background is off by more or by less."""


def distorted(
    observation: Observation,
    expected: SkyMap,
    options: DrawOptions,
    *,
    size: float,
    rng: np.random.Generator,
) -> Observation:
    """Draw new counts of a sky, on a background that is wrong in the same way as in training.

    Parameters
    ----------
    observation : Observation
        On HEALPix maps; its background stays unchanged.
    expected : SkyMap
        Of the sources.
    options : DrawOptions
        Errors of the background.
    size : float
        Side of the patches of the training in degrees, which says how wide waves and clumps are.
    rng : numpy.random.Generator

    Returns
    -------
    Observation
    """
    uneven = np.exp(options.background_unevenness * _gaussian(_REGION, _NSIDE, rng))
    spreads = ((WAVES, options.background_waves), (GRAIN, options.background_grain))
    waves = uneven * sum(spread * _gaussian(size / n, _NSIDE, rng) for n, spread in spreads)
    clumps = hp.ud_grade(uneven, _FINE) * _clumps(options.background_clumps, size, rng)
    known = observation.total_background()
    counts = []
    for band, pixels in enumerate(observation.counts.pixels):
        background = known.values[band].astype(float)
        least = float(np.quantile(background[background > 0], _FAINTEST))
        log, heights = (_at(field, pixels.nside) for field in (waves, clumps))
        factor = off_by(background, least, log, heights)
        counts.append(rng.poisson(expected.values[band] + background * factor))
    return replace(observation, counts=replace(observation.counts, values=tuple(counts)))


def _gaussian(fwhm: float, nside: int, rng: np.random.Generator) -> np.ndarray:
    """Gaussian random field of a width in degrees, with a standard deviation of one."""
    window = gaussian_window(fwhm * SIGMA_OF_FWHM, 3 * nside - 1)
    area = hp.nside2pixarea(nside)
    power = np.sum((2 * np.arange(3 * nside) + 1) * window**2) * area / (4 * np.pi)
    white = rng.normal(size=12 * nside**2)
    return convolve(white, nside, window * area, nside) / np.sqrt(power)


def _clumps(mean: float, size: float, rng: np.random.Generator) -> np.ndarray:
    """Heights of clumps, laid at random, over the background."""
    density = CLUMPS_A_PATCH / size**2 * np.degrees(1) ** 2 * hp.nside2pixarea(_FINE)
    field = np.zeros(12 * _FINE**2)
    for part in CLUMPS:
        heights = np.zeros(len(field))
        rows = rng.integers(0, len(field), rng.poisson(density * len(field)))
        np.add.at(heights, rows, clump_heights(len(rows), mean, rng=rng))
        sigma = size / part * SIGMA_OF_FWHM
        peak = 2 * np.pi * np.radians(sigma) ** 2
        field += convolve(heights, _FINE, gaussian_window(sigma, 3 * _FINE - 1) * peak, _FINE)
    return field


def _at(field: np.ndarray, nside: int) -> np.ndarray:
    """Field interpolated to the centres of pixels."""
    return hp.get_interp_val(field, *hp.pix2ang(nside, np.arange(12 * nside**2)))
