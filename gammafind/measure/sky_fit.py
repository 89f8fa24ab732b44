"""Fluxes and test statistics of detections, fitted on the maps to all bands together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.measure.flux_fit import FluxFit
from gammafind.measure.likelihood import fit_amplitudes
from gammafind.measure.sky_sources import SkySources
from gammafind.sky.observation import Observation
from gammafind.workers import in_threads

__all__ = ["INDICES", "counts_on_sky", "fit_on_sky"]

INDICES = (1.7, 2.0, 2.3, 2.6, 3.0)
"""Photon indices with which each detection is tried."""
_CHUNK = 1000
"""Detections that are fitted at a time."""


def fit_on_sky(observation: Observation, positions: SkyCoord, solid: np.ndarray) -> FluxFit:
    """Fit a source at each position, on maps whose pixels are finer than the PSF.

    All solid detections are fitted together, on the background as it is, those of high
    significance band by band. Then every detection is fitted with all others held.

    Parameters
    ----------
    observation : Observation
    positions : SkyCoord, shape (n,)
    solid : ndarray of bool, shape (n,)
        Which detections are so probable that they are a part of the model of the others.

    Returns
    -------
    FluxFit
        The background holds the wings of bright sources.
    """
    sky = SkySources.of(observation, positions)
    sky, counts = sky.fit(np.flatnonzero(solid))
    models = sky.models(counts)

    def fit(rows: np.ndarray) -> np.ndarray:
        return _alone(sky, rows, models, counts)

    chunks = np.array_split(np.arange(len(counts)), len(counts) // _CHUNK + 1)
    found = np.concatenate(list(in_threads(fit, chunks)), axis=1)
    return FluxFit(*found, sky.background())


def counts_on_sky(observation: Observation, positions: SkyCoord) -> np.ndarray:
    """Fit a source at each position together with all others; see `fit_on_sky`.

    Returns
    -------
    ndarray, shape (n, n_bands)
        Counts of each source.
    """
    return SkySources.of(observation, positions).fit(np.arange(len(positions)))[1]


def _alone(
    sky: SkySources, rows: np.ndarray, models: Sequence[np.ndarray], counts: np.ndarray
) -> np.ndarray:
    """TS, counts, their error, and exposure of some detections, shape (4, n_rows, n_indices)."""
    stamps = [stamp.take(rows) for stamp in sky.stamps]
    seen = [band.counts[stamp.pixel] for band, stamp in zip(sky.data.bands, stamps, strict=True)]
    others = [sky.others(band, model, counts, rows) for band, model in enumerate(models)]
    seen, others = np.concatenate(seen, axis=1), np.concatenate(others, axis=1)
    found = np.empty((4, len(rows), len(INDICES)))
    for place, index in enumerate(INDICES):
        shares = zip(stamps, sky.shares(index)[rows].T, strict=True)
        template = np.concatenate([one.fraction * own[:, None] for one, own in shares], axis=1)
        fit = fit_amplitudes(seen, others, template)
        exposure = sky.counts_of(index)[rows].sum(axis=1)
        found[..., place] = fit.ts, fit.amplitude, fit.error, exposure
    return found
