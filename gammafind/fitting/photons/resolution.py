"""Bands on pixels no finer than their PSF needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from astropy import units as u

from gammafind.sky.degrade import parents
from gammafind.sky.fine_counts import FineCounts, summed_over
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap

_ENOUGH = 0.3
"""Largest pixel over r68 of the PSF: sources lose 1 % of their significance."""
_SEARCHED = 1.2
"""The same where photons are few, so that they are fitted on their own pixels: balances time and
sources that are found (benchmarks/lat_files.py)."""
_FEW = 0.1
"""Counts per pixel below which photons are few: most pixels are empty."""


def on_search_pixels(counts: SkyMap, psfs: Sequence[RadialPsf]) -> SkyMap:
    """Sum HEALPix maps of few photons over pixels as wide as the PSF.

    Parameters
    ----------
    counts : SkyMap
    psfs : sequence of RadialPsf
        One per band.

    Returns
    -------
    SkyMap
        With the counts of the pixels that are not empty in ``finer``. A larger pixel is valid where
        all of its pixels are.
    """
    parts = {name: list(getattr(counts, name)) for name in ("pixels", "values", "valid")}
    finer = list(counts.finer)
    for i, psf in enumerate(psfs):
        factor = _search_factor(counts, i, psf)
        if factor > 1:
            finer.append(_filled(counts, i))
            pixels, larger = counts.pixels[i], _larger(counts.pixels[i], factor)
            cells = pixels.nside, larger.nside
            sums, known = summed_over(counts.values[i], counts.valid[i], *cells)
            parts["pixels"][i], parts["values"][i], parts["valid"][i] = larger, sums, known
    if len(finer) == len(counts.finer):
        return counts
    return replace(counts, finer=tuple(finer), **{name: tuple(p) for name, p in parts.items()})


def at_own_resolution(observation: Observation, *, finer: bool = False) -> Observation:
    """Sum the pixels of each band that are much finer than its PSF.

    Parameters
    ----------
    observation : Observation
    finer : bool
        Whether few photons may be on pixels as wide as the PSF, next to their own pixels; see
        `on_search_pixels`.

    Returns
    -------
    Observation
        A larger pixel is valid where one of its pixels is, or all of them if photons are few; its
        exposure is the mean over all of them, zero for those that are not valid. The same
        observation if no pixels are too fine.
    """
    counts = observation.counts
    pairs = zip(counts.pixels, observation.psfs, strict=True)
    enough = [_factor(pixels, psf) for pixels, psf in pairs]
    few = [_search_factor(counts, i, psf) if finer else 1 for i, psf in enumerate(observation.psfs)]
    filled = [_filled(counts, i) for i, factor in enumerate(few) if factor > enough[i]]
    factors = [max(both) for both in zip(enough, few, strict=True)]
    if all(factor == 1 for factor in factors):
        return observation
    pixels = [_larger(one, factor) for one, factor in zip(counts.pixels, factors, strict=True)]
    skies = (counts, observation.exposure, *observation.background.values())
    valid = [np.all(masks, axis=0) for masks in zip(*(sky.valid for sky in skies), strict=True)]
    sums = [
        _summation(old, new, factor, good)
        for old, new, factor, good in zip(counts.pixels, pixels, factors, valid, strict=True)
    ]
    least = [one**2 if one > own else 1 for one, own in zip(factors, enough, strict=True)]
    known = tuple(add(good) >= n for add, good, n in zip(sums, valid, least, strict=True))

    def larger(sky: SkyMap, *, mean: bool = False) -> SkyMap:
        parts = zip(sums, sky.values, factors, strict=True)
        values = tuple(
            (add(array) / (factor**2 if mean else 1)).astype(array.dtype)
            for add, array, factor in parts
        )
        return replace(sky, pixels=tuple(pixels), values=values, valid=known)

    return replace(
        observation,
        counts=replace(larger(counts), finer=(*counts.finer, *filled)),
        exposure=larger(observation.exposure, mean=True),
        background={name: larger(sky) for name, sky in observation.background.items()},
    )


def _search_factor(counts: SkyMap, band: int, psf: RadialPsf) -> int:
    """Power of two by which the pixels of a search may be larger; 1 if photons are not few."""
    pixels, values = counts.pixels[band], counts.values[band]
    known = any(one.parent == band for one in counts.finer)
    if known or not isinstance(pixels, HealpixPixels) or np.sum(values) > _FEW * values.size:
        return 1
    return _factor(pixels, psf, _SEARCHED)


def _filled(counts: SkyMap, band: int) -> FineCounts:
    """Pixels of a band that are not empty."""
    index = np.flatnonzero(counts.values[band])
    return FineCounts(
        parent=band,
        edges=tuple(counts.bands[band].edges.to_value("MeV", equivalencies=u.spectral())),
        pixels=counts.pixels[band],
        index=index,
        counts=counts.values[band][index],
    )


def _factor(pixels: Pixels, psf: RadialPsf, enough: float = _ENOUGH) -> int:
    """Power of two by which the pixels may be larger."""
    ratio = enough * psf.containment_radius(0.68).value / pixels.pixel_size.to_value("deg")
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
