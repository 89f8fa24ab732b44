"""Flux at which half of all sources are found, on a map."""

from __future__ import annotations

import numpy as np

from gammafind.fitting.photons.data import SkyData
from gammafind.fitting.photons.half_found import half_found_counts
from gammafind.fitting.photons.weights import weights_at
from gammafind.sky.pixels import HealpixPixels

_PHASES = 2
"""Places a side of a map pixel that is wider than the PSF: the mean over all places in it is right
within 1.5 %."""
_MOST = 8
"""Most places a side of an output pixel."""
_PART = 12_288
"""Output pixels per step: limits memory."""
_JITTER = 4
"""Sub-pixels a side of the part of an output pixel in which a place is drawn: at regular places the
mean would be 4 % too low."""


def half_found_fluxes(
    data: SkyData,
    pixels: HealpixPixels,
    ts: float,
    *,
    rng: np.random.Generator,
    index: float | None = None,
) -> np.ndarray:
    """Flux of a source that half of the time reaches a TS, the mean of each pixel.

    Parameters
    ----------
    data : SkyData
        Its model is what is expected without the source.
    pixels : HealpixPixels
        Of the result, in the frame of the data.
    ts : float
        Lowest TS of what is found.
    rng : numpy.random.Generator
        As for `gammafind.fitting.photons.half_found.half_found_counts`.
    index : float, optional
        Photon index for which TS has the weights of a search
        (`gammafind.fitting.photons.weights`); none by default.

    Returns
    -------
    ndarray, shape (n_pixels,)
        In all bands together; the geometric mean over places in the pixel, at which half of the
        sources that are spread over it are found. NaN where most of them hold no data.
    """
    side = _places_a_side(data, pixels)
    parts = np.array_split(np.arange(pixels.shape[0]), -(-pixels.shape[0] // _PART))
    places = np.concatenate([_places_in(pixels, part, side, rng) for part in parts])
    flux = np.full(len(places), np.nan)
    inside = data.inside(places)
    if inside.any():
        weights = 1.0 if index is None else weights_at(data, places[inside], index=index)
        found = half_found_counts(data, places[inside], ts / weights, rng=rng)
        sensitivity = data.sensitivity(places[inside]).sum(axis=1)
        known = np.isfinite(found.counts) & (sensitivity > 0)
        flux[inside] = np.where(known, found.counts / np.where(known, sensitivity, 1), np.nan)
    return _geometric_mean(flux.reshape(-1, side**2))


def _geometric_mean(flux: np.ndarray) -> np.ndarray:
    """Mean of the known fluxes of each row, NaN where most are not known."""
    known = np.isfinite(flux)
    total = np.log(np.where(known, flux, 1)).sum(axis=1)
    number = known.sum(axis=1)
    mean = np.exp(total / np.maximum(number, 1))
    return np.where(2 * number > flux.shape[1], mean, np.nan)


def _places_in(
    pixels: HealpixPixels, part: np.ndarray, side: int, rng: np.random.Generator
) -> np.ndarray:
    """Unit vectors of one random place in each of ``side`` x ``side`` parts of some pixels."""
    fine = pixels.subpixel_vectors(part, side * _JITTER).reshape(-1, _JITTER**2, 3)
    chosen = rng.integers(_JITTER**2, size=len(fine))
    return fine[np.arange(len(fine)), chosen]


def _places_a_side(data: SkyData, pixels: HealpixPixels) -> int:
    """Places a side of an output pixel: some in each pixel of the data that is wider than the PSF.

    A source at the corner of such a pixel needs much more flux than one in its middle.
    """
    coarse = [
        pixels.pixel_size / band.pixels.pixel_size
        for band in data.bands
        if band.pixels.pixel_size > band.psf.containment_radius(0.68)
    ]
    if not coarse:
        return 1
    wanted = _PHASES * float(max(coarse))
    return int(min(2 ** np.ceil(np.log2(max(wanted, 1))), _MOST))
