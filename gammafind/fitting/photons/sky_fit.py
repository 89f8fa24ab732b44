"""Fluxes and test statistics of detections, fitted on the maps in all bands together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.fitting.photons.clumps import (
    CLUMP_FWHM,
    ClumpFit,
    clump_height,
    clump_profile,
    fit_clumps,
)
from gammafind.fitting.photons.flux_fit import FluxFit
from gammafind.fitting.photons.likelihood import fit_amplitudes
from gammafind.fitting.photons.sky_sources import SkySources
from gammafind.sky.observation import Observation
from gammafind.sky.psf_stamps import COARSE, Stamps, fractions_of_each
from gammafind.utils.workers import in_threads

INDICES = (1.7, 2.0, 2.3, 2.6, 3.0)
"""Photon indices that are tried for each detection."""
_CHUNK = 128
"""Detections per step: their pixels fit into the cache of a core."""
_ORDER_NSIDE = 64
"""Nside of the pixels along which detections are ordered: few detections share one."""


def fit_on_sky(observation: Observation, positions: SkyCoord, solid: np.ndarray) -> FluxFit:
    """Fit a source at each position, on maps whose pixels are finer than the PSF.

    All solid detections are fitted together with a fixed background; those of high significance are
    fitted in each band. Then every detection is fitted with all others fixed, and compared with
    clumps of gas.

    Parameters
    ----------
    observation : Observation
    positions : SkyCoord, shape (n,)
    solid : ndarray of bool, shape (n,)
        Which detections are probable enough to be part of the model of the others.

    Returns
    -------
    FluxFit
        The background includes the wings of bright sources.
    """
    order = _along_the_sky(positions)
    back = np.argsort(order)
    sky = SkySources.of(observation, positions[order])
    sky, counts = sky.fit(np.flatnonzero(np.asarray(solid)[order]))
    models, background = sky.models(counts), sky.background()

    def fit(rows: np.ndarray) -> tuple[np.ndarray, ClumpFit]:
        return _alone(sky, rows, models, counts, background)

    chunks = np.array_split(np.arange(len(counts)), len(counts) // _CHUNK + 1)
    found, clumps = zip(*in_threads(fit, chunks), strict=True)
    of_points, of_clumps = (
        np.concatenate([getattr(one, name) for one in clumps])[back] for name in ("point", "clump")
    )
    fits = np.concatenate(found, axis=1)[:, back]
    return FluxFit(*fits, background[back], ClumpFit(of_points, of_clumps))


def counts_on_sky(observation: Observation, positions: SkyCoord) -> np.ndarray:
    """Fit a source at each position together with all others; see `fit_on_sky`.

    Returns
    -------
    ndarray, shape (n, n_bands)
        Counts of each source.
    """
    order = _along_the_sky(positions)
    counts = SkySources.of(observation, positions[order]).fit(np.arange(len(order)))[1]
    return counts[np.argsort(order)]


def _along_the_sky(positions: SkyCoord) -> np.ndarray:
    """Order in which neighbours follow each other: their pixels are in the cache of a core."""
    import healpy as hp

    lon, lat = positions.spherical.lon.deg, positions.spherical.lat.deg
    return np.argsort(hp.ang2pix(_ORDER_NSIDE, lon, lat, nest=True, lonlat=True), kind="stable")


def _alone(
    sky: SkySources,
    rows: np.ndarray,
    models: Sequence[np.ndarray],
    counts: np.ndarray,
    background: np.ndarray,
) -> tuple[np.ndarray, ClumpFit]:
    """TS, counts, their error, and exposure of some detections, shape (4, n_rows, n_indices).

    They are compared with clumps at the photon index with the highest TS.
    """
    stamps = [stamp.take(rows) for stamp in sky.stamps]
    seen = [band.counts[stamp.pixel] for band, stamp in zip(sky.data.bands, stamps, strict=True)]
    others = [sky.others(band, model, counts, rows) for band, model in enumerate(models)]
    seen, others = (np.concatenate(each, axis=1, dtype=float) for each in (seen, others))
    shares = np.stack([sky.shares(index)[rows] for index in INDICES])
    found = np.empty((4, len(rows), len(INDICES)))
    for place, (index, own) in enumerate(zip(INDICES, shares, strict=True)):
        fit = fit_amplitudes(seen, others, _points(stamps, own))
        exposure = sky.counts_of(index)[rows].sum(axis=1)
        found[..., place] = fit.ts, fit.amplitude, fit.error, exposure
    best = found[0].argmax(axis=1)
    each = np.arange(len(rows))
    point = _points(stamps, shares[best, each])
    clumps = _clumps(sky, stamps, rows, background[rows])
    return found, fit_clumps(seen, others, point, clumps, found[1, each, best])


def _points(stamps: Sequence[Stamps], shares: np.ndarray) -> np.ndarray:
    """Counts of point sources with shares (n_rows, n_bands) in all bands, shape (n_rows, k)."""
    parts = zip(stamps, shares.T, strict=True)
    return np.concatenate([one.fraction * own[:, None] for one, own in parts], axis=1)


def _clumps(
    sky: SkySources,
    stamps: Sequence[Stamps],
    rows: np.ndarray,
    background: np.ndarray,
) -> list[np.ndarray]:
    """Counts of clumps as high as the background (n_rows, n_bands), one (n_rows, k) per size."""
    parts = []
    for band, stamp, height in zip(sky.data.bands, stamps, background.T, strict=True):
        profiles = (clump_profile(band.psf, fwhm) for fwhm in CLUMP_FWHM)
        shares = fractions_of_each(
            sky.vectors[rows], stamp.pixel, band.pixels, profiles, sampling=COARSE
        )
        per_pixel = height[:, None] / band.pixels.pixel_area.to_value("sr")
        scale = band.valid[stamp.pixel] * per_pixel
        sizes = zip(shares, CLUMP_FWHM, strict=True)
        parts.append([share * scale * clump_height(fwhm) for share, fwhm in sizes])
    return [np.concatenate(of_size, axis=1) for of_size in zip(*parts, strict=True)]
