"""Correction of a background that differs from the counts on scales of degrees."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from gammafind.sky.degrade import added_up
from gammafind.sky.harmonics import (
    SIGMA_OF_FWHM,
    analyse_map,
    analyse_points,
    convolve,
    gaussian_window,
    synthesise,
)
from gammafind.sky.observation import Observation, added, all_valid
from gammafind.sky.pixels import Pixels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.cache import cached_arrays
from gammafind.utils.workers import in_threads

_NSIDE = 64
"""Resolution for the comparison of backgrounds with counts: pixels of 0.9 deg."""
_LMAX = 3 * _NSIDE - 1
"""Highest multipole that the maps resolve."""
_NEAREST = 61
"""Number of pixels in each median: within 4 deg, to pass over single sources."""
_OF_SOURCES = 1.06
"""Median ratio of counts to a correct background: faint sources add the excess over one."""
_SCALES = {10.0: 0.04, 6.0: 0.012, 4.0: 0.015, 2.5: 0.03}
"""Full widths in degrees of the steps of the correction, and the relative scatter due to
unresolved sources on each scale, taken far from the plane where it is largest. Below 2.5 deg this
scatter is as large as the errors of interstellar models."""
_AROUND = 30.0
"""Full width in degrees over which the size of background errors is estimated: balances noise and
locality."""
_AROUND_A_PLACE = 10.0
"""Full width in degrees over which `unevenness` is averaged: balances noise and locality."""
_PIXEL_FWHM = 2.0
"""Full width in degrees that smooths a factor between its pixels: about two pixels."""
_LIMITS = (0.2, 5.0)
"""Range of the factor: stops single bright sources or empty pixels from spoiling it."""
_PIXEL = 4 * np.pi / (12 * _NSIDE**2)
"""Area of a pixel in sr."""


def rough_factor(observation: Observation) -> np.ndarray:
    """Ratio of counts to background in all bands together, as medians over 4 deg.

    Sources are not known yet. The median ignores them if they are few, and their average
    contribution on the sky is removed.

    Parameters
    ----------
    observation : Observation
        On HEALPix maps.

    Returns
    -------
    ndarray, shape (49152,)
        Factor for the background, RING order in the frame of the maps, nside 64; 1 where no counts
        are expected.
    """
    counts, background = _totals(observation)
    ratio = np.divide(counts, background, out=np.ones_like(counts), where=background > 0)
    return np.clip(np.median(ratio[_near()], axis=1) / _OF_SOURCES, *_LIMITS)


def slow_factor(observation: Observation, vectors: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Factor for the background of all bands that fits it to the counts, with known sources.

    From wide to narrow scales, the ratio of residual to expected counts is smoothed. It changes the
    factor by the part that exceeds the noise. The size of true differences is estimated from their
    scatter within 30 deg, minus the scatter of unresolved sources, so that a correct background
    does not change.

    Parameters
    ----------
    observation : Observation
        On HEALPix maps.
    vectors : ndarray, shape (n, 3)
        Unit vectors of known sources in the frame of the maps.
    counts : ndarray, shape (n, n_bands)
        Counts of each source.

    Returns
    -------
    ndarray, shape (49152,)
        As in `rough_factor`.
    """
    seen, background = _totals(observation)
    sources = _source_map(observation, vectors, counts)
    factor = np.ones_like(seen)
    for fwhm, of_faint_sources in _SCALES.items():
        model = factor * background
        expected = _smooth(model, fwhm)
        known = expected > 1e-9 * expected.max()
        expected = np.where(known, expected, np.inf)
        change = _smooth(seen - sources - model, fwhm) / expected
        noise = _noise(model + sources, fwhm) / expected**2
        scatter = _smooth(change**2 - noise, _AROUND)
        true = np.maximum(scatter - of_faint_sources**2, 0)
        share = np.divide(true, true + noise, out=np.zeros_like(true), where=true > 0)
        factor = np.clip(factor * (1 + share * change), *_LIMITS)
    return factor


def scaled_background(observation: Observation, factor: np.ndarray) -> dict[str, SkyMap]:
    """The sum of all components of the background, multiplied by a slowly varying factor.

    Parameters
    ----------
    observation : Observation
        On HEALPix maps.
    factor : ndarray, shape (49152,)
        As in `rough_factor`.

    Returns
    -------
    dict of str to SkyMap
        One component, since all have the same factor.
    """
    alm = analyse_map(factor - 1, _NSIDE, _window(_PIXEL_FWHM) * _PIXEL).astype(np.complex64)

    @lru_cache
    def finer(nside: int) -> np.ndarray:
        change = synthesise(alm, nside)
        change += 1
        return np.clip(change, *_LIMITS, out=change)

    total = observation.total_background()
    pairs = zip(total.pixels, total.values, strict=True)
    values = tuple(band * finer(pixels.nside) for pixels, band in pairs)
    return {"scaled": replace(total, values=values)}


def unevenness(given: Observation, fitted: Observation, vectors: np.ndarray) -> np.ndarray:
    """Size of the difference between a fitted and a given background around some positions.

    Parameters
    ----------
    given, fitted : Observation
        The same sky on HEALPix maps, with both backgrounds.
    vectors : ndarray, shape (n, 3)
        Unit vectors in the frame of the maps.

    Returns
    -------
    ndarray, shape (n,)
        Root mean square of the logarithm of their ratio in the first band, averaged over about 10
        deg.
    """
    import healpy as hp

    before, after = (
        added_up(np.nan_to_num(one.total_background().values[0]), _NSIDE) for one in (given, fitted)
    )
    known = (before > 0) & (after > 0)
    ratio = np.divide(after, before, out=np.ones_like(before), where=known)
    square = np.maximum(_smooth(np.log(ratio) ** 2, _AROUND_A_PLACE), 0)
    return np.sqrt(square)[hp.vec2pix(_NSIDE, *vectors.T)]


def _totals(observation: Observation) -> tuple[np.ndarray, np.ndarray]:
    """Counts and background of all bands together, where both are valid."""
    counts, background = observation.counts, observation.total_background()
    alike: dict[Pixels, list[int]] = {}
    for band, pixels in enumerate(counts.pixels):
        alike.setdefault(pixels, []).append(band)

    def of_bands(bands: list[int]) -> list[np.ndarray]:
        valid = [all_valid([counts.valid[i], background.valid[i]]) for i in bands]

        def of_sky(sky: SkyMap) -> np.ndarray:
            maps = (
                sky.values[i] if good.all() else np.where(good, sky.values[i], 0)
                for i, good in zip(bands, valid, strict=True)
            )
            return added_up(added([*maps]), _NSIDE)

        return [of_sky(sky) for sky in (counts, background)]

    seen, expected = map(sum, zip(*in_threads(of_bands, [*alike.values()]), strict=True))
    return seen, expected


def _source_map(observation: Observation, vectors: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Counts of sources in all bands together, with the multipoles of smooth maps."""
    if not len(vectors):
        return np.zeros(12 * _NSIDE**2)
    alm = sum(
        analyse_points(vectors, counts[:, band], psf.window(_LMAX) * _PIXEL)
        for band, psf in enumerate(observation.psfs)
    )
    return synthesise(alm, _NSIDE)


def _window(fwhm: float) -> np.ndarray:
    """Legendre transform of a Gaussian."""
    return gaussian_window(fwhm * SIGMA_OF_FWHM, _LMAX)


def _smooth(values: np.ndarray, fwhm: float) -> np.ndarray:
    """Mean around each pixel, weighted by a Gaussian."""
    return convolve(values, _NSIDE, _window(fwhm) * _PIXEL, _NSIDE)


def _noise(expected: np.ndarray, fwhm: float) -> np.ndarray:
    """Variance of the smoothed counts of a map of expected counts."""
    of_square = _smooth(expected, fwhm / np.sqrt(2))
    return np.maximum(of_square, 0) * _PIXEL / (4 * np.pi * np.radians(fwhm * SIGMA_OF_FWHM) ** 2)


@lru_cache(maxsize=1)
def _near() -> np.ndarray:
    """The pixels nearest to each, shape (49152, 61); kept in the cache."""
    import healpy as hp

    def compute() -> dict[str, np.ndarray]:
        vectors = np.stack(hp.pix2vec(_NSIDE, np.arange(12 * _NSIDE**2)), axis=1)
        return {"pixel": cKDTree(vectors).query(vectors, _NEAREST)[1].astype(np.int32)}

    key = {"array": "nearest pixels", "version": 1, "nside": _NSIDE, "number": _NEAREST}
    return cached_arrays(key, compute)["pixel"]
