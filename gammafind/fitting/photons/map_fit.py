"""Fluxes and test statistics of detections, fitted on the maps of the whole sky."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.fitting.photons.data import SkyData, sky_data, source_size, source_sizes
from gammafind.fitting.photons.flux_fit import FluxFit
from gammafind.fitting.photons.position import climb, fit_positions
from gammafind.fitting.photons.scan import scan
from gammafind.fitting.photons.sky_model import SkyModel, background_components
from gammafind.sky.observation import Observation
from gammafind.sky.projection import vectors_in
from gammafind.sky.skymap import SkyMap

_INDEX = 2.3
"""Photon index of all sources: typical of 4FGL sources."""
_SMOOTHING = 6.0
"""Full width in degrees over which the norm of the background may vary: 3, 6 and 10 deg give
similar results (benchmarks/real_sky.py)."""
_ROUNDS = 2
"""Rounds of a fit, each from the result of the last: more change little."""
_LEAST_TS = 4.0
"""Least TS for the scale of a position fit: limits its width for faint sources."""
_LEAST_COUNTS = 1e-3
"""First guess of a source without excess counts: positive, so that it can grow."""


def fit_on_maps(observation: Observation, positions: SkyCoord, solid: np.ndarray) -> FluxFit:
    """Fit a source at each position, directly on the pixels of the maps.

    All solid detections and the norms of the background are fitted together, each source at the
    most likely place near its position. Then every detection is fitted with all others fixed. If
    the pixels are as wide as the PSF, this uses more information than patches, which place photons
    at random within their pixels.

    Parameters
    ----------
    observation : Observation
    positions : SkyCoord, shape (n,)
    solid : ndarray of bool, shape (n,)
        Which detections are probable enough to be part of the model of the others.

    Returns
    -------
    FluxFit
        For one photon index, 2.3.
    """
    model, vectors = _fitted(observation, positions, solid)
    places = _highest(model, vectors, solid)
    model.place(places[solid], model.sigma)
    for _ in range(_ROUNDS):
        model.update()
    found = np.empty((3, len(vectors)))
    own = scan(model.data, places[solid], without=(places[solid], model.counts))
    others = scan(model.data, places[~solid])
    for rows, fit in ((solid, own), (~solid, others)):
        found[:, rows] = fit.ts, fit.amplitude, fit.error
    ts, npred, npred_err = (values[:, None] for values in found)
    exposure = model.data.sensitivity(vectors).sum(axis=1, keepdims=True)
    return FluxFit(ts, npred, npred_err, exposure, _background(model.data, vectors))


def fitted_background(
    observation: Observation, positions: SkyCoord, solid: np.ndarray
) -> dict[str, SkyMap]:
    """Fit the background to the counts, with detections in the model.

    Parameters
    ----------
    observation : Observation
    positions : SkyCoord, shape (n,)
    solid : ndarray of bool, shape (n,)
        All three as for `fit_on_maps`.

    Returns
    -------
    dict of str to SkyMap
        One component; its norm varies slowly over the sky.
    """
    model, _ = _fitted(observation, positions, solid)
    first = next(iter(observation.background.values()))
    values = tuple(
        band.background.reshape(old.shape).astype(old.dtype)
        for band, old in zip(model.data.bands, first.values, strict=True)
    )
    return {"fitted": replace(first, values=values)}


def _fitted(
    observation: Observation, positions: SkyCoord, solid: np.ndarray
) -> tuple[SkyModel, np.ndarray]:
    """Background and solid detections fitted together, and unit vectors of all positions."""
    data = sky_data(observation, index=_INDEX)
    vectors = vectors_in(data.frame, positions)
    model = SkyModel(data, background_components(observation, data), smoothing=0.0)
    chosen = vectors[solid]
    model.add(chosen, np.maximum(scan(model.data, chosen).amplitude, _LEAST_COUNTS))
    model.update(background=False)
    # Only now: a background that may vary would absorb sources that are not fitted yet.
    model.smoothing = _SMOOTHING
    for _ in range(_ROUNDS):
        model.update()
    return model, vectors


def _highest(model: SkyModel, vectors: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Most likely place of a source near each position, shape (n, 3)."""
    places = vectors.copy()
    alone = scan(model.data, vectors[solid], without=(vectors[solid], model.counts)).ts
    sizes = source_sizes(model.data, vectors[solid])
    scale = sizes / np.sqrt(np.maximum(alone, _LEAST_TS))
    places[solid] = fit_positions(model.data, vectors[solid], model.counts, scale).vectors
    places[~solid] = climb(model.data, vectors[~solid], step=source_size(model.data) / 3)
    return places


def _background(data: SkyData, vectors: np.ndarray) -> np.ndarray:
    """Expected background counts per pixel at positions, shape (n, n_bands)."""
    return np.stack(
        [band.background[band.pixels.containing(vectors)] for band in data.bands], axis=1
    )
