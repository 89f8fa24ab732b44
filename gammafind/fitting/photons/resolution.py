"""Bands on pixels no finer than their PSF needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gammafind.fitting.photons.coarse_sky import parents
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap

_ENOUGH = 0.3
"""Largest pixel over r68 of the PSF: sources lose 1 % of their significance."""


def at_own_resolution(observation: Observation) -> Observation:
    """Sum the pixels of each band that are much finer than its PSF.

    Parameters
    ----------
    observation : Observation

    Returns
    -------
    Observation
        A larger pixel is valid where one of its pixels is; there its exposure is the mean over all
        of them, zero for those that are not valid. The same observation if no pixels are too fine.
    """
    counts = observation.counts
    pairs = zip(counts.pixels, observation.psfs, strict=True)
    factors = [_factor(pixels, psf) for pixels, psf in pairs]
    if all(factor == 1 for factor in factors):
        return observation
    pixels = [_larger(one, factor) for one, factor in zip(counts.pixels, factors, strict=True)]
    skies = (counts, observation.exposure, *observation.background.values())
    valid = [np.all(masks, axis=0) for masks in zip(*(sky.valid for sky in skies), strict=True)]
    sums = [
        _summation(old, new, factor, good)
        for old, new, factor, good in zip(counts.pixels, pixels, factors, valid, strict=True)
    ]
    known = tuple(add(good) > 0 for add, good in zip(sums, valid, strict=True))

    def larger(sky: SkyMap, *, mean: bool = False) -> SkyMap:
        parts = zip(sums, sky.values, factors, strict=True)
        values = tuple(
            (add(array) / (factor**2 if mean else 1)).astype(array.dtype)
            for add, array, factor in parts
        )
        return replace(sky, pixels=tuple(pixels), values=values, valid=known)

    return replace(
        observation,
        counts=larger(counts),
        exposure=larger(observation.exposure, mean=True),
        background={name: larger(sky) for name, sky in observation.background.items()},
    )


def _factor(pixels: Pixels, psf: RadialPsf) -> int:
    """Power of two by which the pixels may be larger."""
    ratio = _ENOUGH * psf.containment_radius(0.68).value / pixels.pixel_size.to_value("deg")
    largest = pixels.nside if isinstance(pixels, HealpixPixels) else min(pixels.shape)
    return int(min(2 ** max(0, int(np.floor(np.log2(ratio)))), 2 ** int(np.log2(largest))))


def _larger(pixels: Pixels, factor: int) -> Pixels:
    if factor == 1:
        return pixels
    if isinstance(pixels, HealpixPixels):
        return HealpixPixels(pixels.nside // factor, pixels.frame)
    wcs = pixels.wcs.slice([slice(0, None, factor)] * 2)
    return WcsPixels(wcs, tuple(-(-n // factor) for n in pixels.shape))


def _summation(
    old: Pixels, new: Pixels, factor: int, valid: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Function that sums a map of the old pixels, where they are valid, over the new ones."""
    if factor == 1:
        return lambda values: np.where(valid, values, 0)
    if isinstance(old, HealpixPixels):
        index = np.flatnonzero(valid)
        cell = parents(old.nside, new.nside, index)
        return lambda values: np.bincount(cell, values[index], minlength=new.shape[0])

    def blocks(values: np.ndarray) -> np.ndarray:
        more = [(0, m * factor - n) for n, m in zip(old.shape, new.shape, strict=True)]
        padded = np.pad(np.where(valid, values, 0).astype(float), more)
        return padded.reshape(new.shape[0], factor, new.shape[1], factor).sum(axis=(1, 3))

    return blocks
