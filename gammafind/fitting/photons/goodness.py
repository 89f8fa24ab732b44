"""Maps of how well a model of the sky describes the counts."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.fitting.photons.data import BandData, SkyData
from gammafind.fitting.photons.deviation import deviation
from gammafind.fitting.photons.known_sky import known_sky
from gammafind.sky.bands import Band
from gammafind.sky.disc_sums import disc_sums
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels, centre_vectors
from gammafind.sky.skymap import SkyMap
from gammafind.utils.workers import in_threads

_FINEST = 128
"""Largest nside of the maps: balances detail and time."""
_CONTAINMENT = 0.68
"""Share of the counts of a source within the radius, next to the size of the pixel."""
_BETWEEN = 0.75
"""Least radius in pixels of the map, so that no photon is between discs."""
_INDEX = 2.3
"""Photon index of faint sources: typical of 4FGL sources."""


@dataclass(frozen=True, eq=False)
class Goodness:
    """How far counts are from a model, in discs around the pixels of a map.

    Attributes
    ----------
    residual : SkyMap
        Counts less model in units of the standard deviation, all bands together.
    ps : SkyMap
        Minus the decimal logarithm of the probability of such a deviation in the spectrum of the
        counts, negative where there are too few counts.
    """

    residual: SkyMap
    ps: SkyMap


def measure_goodness(
    observation: Observation, positions: SkyCoord, *, index: float = _INDEX
) -> Goodness:
    """Compare the counts with a model: the background, and sources at known positions.

    Norms of the background and counts of the sources are fitted first; bright sources have their
    own spectrum.

    Parameters
    ----------
    observation : Observation
    positions : SkyCoord, shape (n,)
    index : float
        Photon index of faint sources, and of those that the residual weighs the bands for.

    Returns
    -------
    Goodness
        On HEALPix pixels of at most nside 128, or those of an image.

    Notes
    -----
    Around the centre of each pixel, counts and model of each band are summed over a disc whose
    radius is r68 of the PSF and the size of a pixel of the band, in quadrature. The residual is
    ``sum(w (n - m)) / sqrt(sum(w**2 m))`` over the bands, where the weight ``w`` is the expected
    share of a source over that of the model, which is best for a faint source. Errors of the
    fitted model are not part of the standard deviation.

    References
    ----------
    Bruel 2021, A&A 656, A81 (doi:10.1051/0004-6361/202141553).
    """
    model, _ = known_sky(observation, positions, index=index)
    return goodness_of(model.data, observation.counts)


def goodness_of(data: SkyData, counts: SkyMap) -> Goodness:
    """Compare counts and model of each band.

    Parameters
    ----------
    data : SkyData
    counts : SkyMap
        The map that was searched: its range of energies becomes that of the result.

    Returns
    -------
    Goodness
    """
    pixels = _pixels(data)
    centres = centre_vectors(pixels, np.arange(int(np.prod(pixels.shape))))
    rows = np.flatnonzero(data.inside(centres))
    vectors = centres[rows]
    sums = list(in_threads(lambda band: _sums(band, vectors, _radius(band, pixels)), data.bands))
    seen, model, share = (np.stack(each, axis=1) for each in zip(*sums, strict=True))
    known = (model > 0).any(axis=1)
    rows, seen, model, share = (each[known] for each in (rows, seen, model, share))
    weight = np.divide(share, model, out=np.zeros_like(share), where=model > 0)
    scatter = np.sqrt((weight**2 * model).sum(axis=1))
    excess = (weight * (seen - model)).sum(axis=1)
    residual = np.divide(excess, scatter, out=np.zeros_like(excess), where=scatter > 0)
    return Goodness(
        residual=_map(counts, pixels, rows, residual),
        ps=_map(counts, pixels, rows, deviation(seen, model)),
    )


def _pixels(data: SkyData) -> Pixels:
    """Pixels of the maps: the smallest ones of the bands, but no smaller than need be."""
    finest = min((band.pixels for band in data.bands), key=lambda one: one.pixel_area)
    if isinstance(finest, HealpixPixels):
        return HealpixPixels(min(finest.nside, _FINEST), finest.frame)
    return finest


def _radius(band: BandData, pixels: Pixels) -> float:
    """Radius of the disc of a band, in radians."""
    size = band.pixels.pixel_size.to_value("rad")
    radius = np.hypot(band.psf.containment_radius(_CONTAINMENT).to_value("rad"), size)
    return float(max(radius, _BETWEEN * pixels.pixel_size.to_value("rad")))


def _sums(band: BandData, vectors: np.ndarray, radius: float) -> tuple[np.ndarray, ...]:
    """Counts and model in discs, and the expected counts of a source of some flux, each (n,)."""
    maps = np.stack([_whole(band, band.counts), _whole(band, band.model)])
    seen, model = disc_sums(maps, band.pixels, vectors, radius)
    place = band.containing(vectors)
    held = band.psf.containment(radius * u.rad)
    return np.rint(seen), model, held * band.valid[place] * band.sensitivity(place)


def _whole(band: BandData, values: np.ndarray) -> np.ndarray:
    """Values in all pixels of a band, zero in those without data."""
    good = np.where(band.valid, values, 0).astype(float)
    if band.held is None:
        return good
    whole = np.zeros(int(np.prod(band.pixels.shape)))
    whole[band.held] = good[:-1]
    return whole


def _map(counts: SkyMap, pixels: Pixels, rows: np.ndarray, values: np.ndarray) -> SkyMap:
    """Map with values in some pixels."""
    low = min(band.low for band in counts.bands)
    high = max(band.high for band in counts.bands)
    whole = np.zeros(int(np.prod(pixels.shape)))
    valid = np.zeros(len(whole), dtype=bool)
    whole[rows], valid[rows] = values, True
    names = counts.bands[0].name, counts.bands[-1].name
    name = names[0] if counts.n_bands == 1 else " to ".join(names)
    shaped = (array.reshape(pixels.shape) for array in (whole, valid))
    values, valid = shaped
    return SkyMap([Band(name, low, high)], [pixels], [values], "score", [valid])
