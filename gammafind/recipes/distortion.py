"""Skies whose background is not what the model says."""

from __future__ import annotations

from dataclasses import replace

import healpy as hp
import numpy as np

from gammafind.learning.batches import GRAIN, WAVES, DrawOptions
from gammafind.sky.harmonics import SIGMA_OF_FWHM, convolve, gaussian_window
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap

__all__ = ["distorted"]

_NSIDE = 64
_FAINTEST = 0.01
"""Share of the sky from whose background the faintest is taken."""


def distorted(
    observation: Observation,
    expected: SkyMap,
    options: DrawOptions,
    *,
    size: float,
    rng: np.random.Generator,
) -> Observation:
    """Draw the counts of a sky anew, on a background that is off as those of the training are.

    Parameters
    ----------
    observation : Observation
        On HEALPix maps; its background stays as it is.
    expected : SkyMap
        Of the sources.
    options : DrawOptions
        ``background_waves`` and ``background_grain`` are the standard deviations of the logarithm
        of the factor, where the background is far above its faintest.
    size : float
        Side of the patches of the training in degrees, which says how wide the waves are.
    rng : numpy.random.Generator

    Returns
    -------
    Observation
    """
    fields = [
        (rng.normal(size=12 * _NSIDE**2), size / nodes, spread)
        for nodes, spread in (
            (WAVES, options.background_waves),
            (GRAIN, options.background_grain),
        )
    ]
    known = observation.total_background()
    counts = []
    for band, pixels in enumerate(observation.counts.pixels):
        background = known.values[band].astype(float)
        least = np.quantile(background[background > 0], _FAINTEST)
        structured = np.maximum(1 - least / np.maximum(background, least), 0)
        waves = sum(_field(*one, pixels.nside) for one in fields)
        mean = expected.values[band] + background * np.exp(structured * waves)
        counts.append(rng.poisson(mean))
    return replace(observation, counts=replace(observation.counts, values=tuple(counts)))


def _field(white: np.ndarray, fwhm: float, spread: float, nside: int) -> np.ndarray:
    """White noise of nside 64 smoothed to a width in degrees, with a standard deviation."""
    window = gaussian_window(fwhm * SIGMA_OF_FWHM, 3 * _NSIDE - 1)
    power = (
        np.sum((2 * np.arange(3 * _NSIDE) + 1) * window**2) * hp.nside2pixarea(_NSIDE) / (4 * np.pi)
    )
    field = convolve(white, _NSIDE, window * hp.nside2pixarea(_NSIDE), nside)
    return field * spread / np.sqrt(power)
