"""Weights of pixels in likelihoods, for a background that is wrong by a share of itself."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.fitting.photons.coarse_sky import CoarseBand
from gammafind.fitting.photons.data import BandData, SkyData, photon_shares
from gammafind.sky.corner_shares import square_shares
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import Pixels, centre_vectors
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import psf_core

SYSTEMATIC = 0.03
"""Default relative error of the background under a source, that of 4FGL: on the real sky smaller
ones leave more false detections near the plane, larger ones lose true ones
(benchmarks/background_errors.py)."""
_LEAST = 1e-6
"""Least background counts under a source."""
_NO_EXPOSURE = 1e-300
"""Information where there is no exposure: any weight is right."""


def likelihood_weights(
    data: SkyData,
    cells: Sequence[CoarseBand],
    expected: Sequence[np.ndarray],
    systematic: float,
) -> list[np.ndarray]:
    """Weights of the pixels of each band, for a relative systematic error of the background.

    Parameters
    ----------
    data : SkyData
    cells : sequence of CoarseBand
        The larger pixels of each band.
    expected : sequence of ndarray, shape (n_cells,)
        Expected counts of the background in the cells of each band.
    systematic : float
        Relative error of the background under a point source, the same at all energies.

    Returns
    -------
    list of ndarray, shape (n_held,)
        Above 0, at most 1.

    Notes
    -----
    The counts of the background under a source have the variance ``N`` by chance, and ``(e N)**2``
    since the background is known to a share ``e`` only. The weight of the log-likelihood is the
    part of the former in the sum, ``1 / (1 + e**2 N)``. ``N`` is the integral of the background
    times the PSF, the latter divided by its value in the middle of a source, as seen in pixels. The
    error is common to all energies, so that ``N`` sums over the energies of the band and all higher
    ones; the narrow PSFs of high energies see little of it. Channels of the same energies are
    summed. The background is averaged over pixels of half a degree. Known sources are no part of
    it.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, appendix B (doi:10.3847/1538-4365/ab6bcb).
    """
    bands = data.bands
    under = [_under_source(*one) for one in zip(bands, cells, expected, strict=True)]
    weights = []
    for band, own in zip(bands, cells, strict=True):
        total = np.zeros(len(own.counts))
        for i, other in enumerate(bands):
            if other.edges[0] >= band.edges[0]:
                total += _at_cells(under[i], cells[i], own)
        weight = 1 / (1 + systematic**2 * total)
        weights.append(own.spread(weight.astype(np.float32)))
    return weights


def weights_of_sources(
    observation: Observation, positions: SkyCoord, background: np.ndarray, *, index: float
) -> np.ndarray:
    """Mean weight of the pixels that determine a faint source at each position, shape (n,).

    Parameters
    ----------
    observation : Observation
    positions : SkyCoord, shape (n,)
    background : ndarray, shape (n, n_bands)
        Expected background counts per pixel at the positions.
    index : float
        Photon index of the sources.

    Notes
    -----
    The weights of `likelihood_weights`, with the default error, are averaged over the bands: each
    has the information that its counts hold about the flux. TS of the source times this weight is
    the weighted TS.
    """
    counts = observation.counts
    edges = [tuple(b.edges.to_value("MeV", equivalencies=u.spectral())) for b in counts.bands]
    pairs = list(zip(counts.pixels, observation.psfs, strict=True))
    sizes = [area_of_source(*pair) / float(pair[0].pixel_area.to_value("deg2")) for pair in pairs]
    under = np.asarray(background, dtype=float) * sizes
    exposure = [
        values.ravel()[pixels.pixel_of(positions)]
        for values, pixels in zip(observation.exposure.values, counts.pixels, strict=True)
    ]
    share = np.stack(exposure, axis=1) * photon_shares(edges, index)
    information = share**2 / np.maximum(under, _LEAST) + _NO_EXPOSURE
    return _mean_weights(edges, under, information)


def weights_at(data: SkyData, vectors: np.ndarray, *, index: float) -> np.ndarray:
    """As `weights_of_sources`, at unit vectors (n, 3) of the data, for its background.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, 3)
    index : float
        Photon index of the sources.

    Returns
    -------
    ndarray, shape (n,)
    """
    under, edges = [], [band.edges for band in data.bands]
    for band, place in zip(data.bands, data.containing(vectors), strict=True):
        area = float(band.pixels.pixel_area.to_value("deg2"))
        under.append(band.background[place] * (area_of_source(band.pixels, band.psf) / area))
    under = np.stack(under, axis=1).astype(float)
    share = data.exposures(vectors) * photon_shares(edges, index)
    return _mean_weights(edges, under, share**2 / np.maximum(under, _LEAST) + _NO_EXPOSURE)


def _mean_weights(
    edges: Sequence[tuple[float, float]], under: np.ndarray, information: np.ndarray
) -> np.ndarray:
    """Mean over the bands of weights for background counts under sources, (n, n_bands) both."""
    lowest = np.array(edges)[:, 0]
    higher = lowest[:, None] >= lowest
    weight = 1 / (1 + SYSTEMATIC**2 * under @ higher)
    return (weight * information).sum(axis=1) / information.sum(axis=1)


def area_of_source(pixels: Pixels, psf: RadialPsf) -> float:
    """Area in square degrees of the PSF divided by its value in the middle, as seen in pixels."""
    side = float(np.sqrt(pixels.pixel_area.to_value("sr")))
    highest = square_shares(np.zeros(1), side, psf, psf_core(psf))
    return float(pixels.pixel_area.to_value("deg2")) / float(highest[0])


def _under_source(band: BandData, cells: CoarseBand, expected: np.ndarray) -> np.ndarray:
    """Background counts under a source in each cell, from the valid pixels of the cell."""
    known = cells.number > 0
    mean = np.divide(expected, cells.number, out=np.zeros(len(expected)), where=known)
    area = float(band.pixels.pixel_area.to_value("deg2"))
    return mean * area_of_source(band.pixels, band.psf) / area


def _at_cells(values: np.ndarray, of: CoarseBand, at: CoarseBand) -> np.ndarray:
    """Values in some cells at the centres of the cells of another band."""
    if of.pixels == at.pixels:
        return values
    return values[of.pixels.containing(centre_vectors(at.pixels, np.arange(len(at.counts))))]
