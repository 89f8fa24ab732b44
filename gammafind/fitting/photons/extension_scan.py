"""A quick test of extension for many points at once, everything else fixed."""

from __future__ import annotations

import numpy as np

from gammafind.fitting.photons.data import SkyData
from gammafind.fitting.photons.extended_profiles import seen_through
from gammafind.fitting.photons.mixture import fit_mixture
from gammafind.sky.psf_stamps import COARSE, fractions_of_each, pixels_near
from gammafind.sky.shapes import Shape
from gammafind.utils.workers import in_threads

_RADII = (0.15, 0.3, 0.6, 1.2)
"""Radii of discs that are tried, in units of twice the size of a point: no gain of any size falls
between them."""
_REACH, _CONTAINMENT = 0.6, 0.8
"""Radius of the pixels in the same units, and share of the counts of a point in them."""
_CHUNK = 200
"""Points per step: limits memory."""
_FREE = np.array([np.inf, np.inf])


def quick_extension(
    data: SkyData, vectors: np.ndarray, counts: np.ndarray, unit: float
) -> np.ndarray:
    """2 ln of the likelihood ratio of the best of a few discs to a point, shape (n,).

    The level of the background is free in both. A disc is centred on the point, so that the ratio
    is a little too low for a source whose position is wrong, and negative for most points.

    Parameters
    ----------
    data : SkyData
        Its model includes the points.
    vectors : ndarray, shape (n, 3)
    counts : ndarray, shape (n, n_bands)
        Counts of the points in the model.
    unit : float
        Twice the size of a point in the sharpest band, in degrees.
    """
    parts = np.array_split(np.arange(len(vectors)), len(vectors) // _CHUNK + 1)
    found = in_threads(lambda part: _of_part(data, vectors[part], counts[part], unit), parts)
    return np.concatenate(list(found))


def _of_part(data: SkyData, vectors: np.ndarray, counts: np.ndarray, unit: float) -> np.ndarray:
    if not len(vectors):
        return np.zeros(0)
    seen, others, level, shapes = [], [], [], []
    for i, band in enumerate(data.bands):
        reach = float(np.radians(unit * _REACH))
        pixel = pixels_near(vectors, band.pixels, band.psf, containment=_CONTAINMENT, reach=reach)
        place = band.places(pixel)
        good = band.valid[place]
        discs = (seen_through(band.psf, Shape("disc", float(np.radians(unit * r)))) for r in _RADII)
        profiles = [band.psf, *discs]
        shares = fractions_of_each(vectors, pixel, band.pixels, profiles, sampling=COARSE)
        templates = [share * counts[:, i, None] * good for share in shares]
        background = np.where(good, band.background[place], 0)
        without = np.maximum(np.where(good, band.model[place], 1) - templates[0], background)
        weight = band.weights(place)
        seen.append(np.where(good, band.counts[place], 0) * weight)
        others.append(np.maximum(without, 1e-6) * weight)
        level.append(background * weight)
        shapes.append([template * weight for template in templates])
    joined = (np.concatenate(part, axis=1, dtype=float) for part in (seen, others, level))
    seen, others, level = joined
    start = np.tile([1.0, 0.0], (len(vectors), 1))
    gains = []
    for each in zip(*shapes, strict=True):
        template = np.concatenate(each, axis=1)
        gains.append(fit_mixture(seen, others, [template, level], start, _FREE)[0])
    return np.max(gains[1:], axis=0) - gains[0]
