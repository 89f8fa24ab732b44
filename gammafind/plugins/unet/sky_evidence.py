"""Evidence for a detection on a sky: the network's score, the likelihood and the surroundings."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from gammafind.fitting.photons.clumps import ClumpFit
from gammafind.fitting.photons.flux_fit import FluxFit
from gammafind.networks.logits import logit
from gammafind.networks.tiers import (
    BandResolution,
    spectral_shares,
    threshold_and_width,
)
from gammafind.sky.observation import Observation

_SURE = 1e-6
_LEAST_BACKGROUND = 1e-6
_LEAST_UNEVENNESS = 0.01
_AROUND = 5.0
"""Degrees within which other detections indicate clumps of the background."""
_DOUBT = 0.5
"""Probability that is added to that of the others, because a few indicate little."""


def sky_evidence(
    score: np.ndarray,
    sigma: np.ndarray,
    fit: FluxFit,
    unevenness: np.ndarray,
    vectors: np.ndarray,
    hidden: np.ndarray | None = None,
    setting: np.ndarray | None = None,
) -> np.ndarray:
    """Entries of `gammafind.networks.ranking.Ranking` for detections on a sky.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Probability by the network alone.
    sigma : ndarray, shape (n,)
        Its position error in pixels of the finest band.
    fit : FluxFit
    unevenness : ndarray, shape (n,)
        Logarithm of the correction to the background around it.
    vectors : ndarray, shape (n, 3)
        Unit vectors of the detections.
    hidden : ndarray of bool, shape (n,), optional
        Which were found by a second look only.
    setting : ndarray, shape (n, m), optional
        From `setting_evidence`, of a network for any bands.

    Returns
    -------
    ndarray, shape (n, k)
        Logit of the score, and logarithms: of sigma, of the background, of the unevenness and
        0.01, of each TS and 1. Where points were compared with clumps also the logarithms of these
        TS and 1, and the means, over the detections within 5 deg, of those of the widest clump
        less that of the highest TS. Last, whether the second look found it, and the
        columns of the setting.
    """
    score = np.clip(score, _SURE, 1 - _SURE)
    columns = [
        logit(score, least=_SURE),
        np.log(sigma),
        np.log(np.maximum(fit.background, _LEAST_BACKGROUND)).mean(axis=1),
        np.log(unevenness + _LEAST_UNEVENNESS),
        *np.log1p(fit.ts.T),
    ]
    if fit.clumps is not None:
        columns += _of_clumps(fit.clumps, fit.ts.max(axis=1), score, vectors)
    if hidden is not None:
        columns.append(hidden.astype(float))
    if setting is not None:
        columns += [*setting.T]
    return np.stack(columns, axis=1)


def setting_evidence(observation: Observation, background: np.ndarray) -> np.ndarray:
    """What the sky of a setting is like at some places.

    Parameters
    ----------
    observation : Observation
    background : ndarray, shape (n, n_bands)
        Counts in a pixel of the maps.

    Returns
    -------
    ndarray, shape (n, 2)
        Logarithms of the counts of a source of TS 16, and of the width of the PSF for its photons,
        in degrees.
    """
    resolution = BandResolution.of_maps(observation.psfs, observation.counts.pixels)
    exposure = np.array([observation.exposure.means])
    shares = np.repeat(spectral_shares(observation.counts.bands, exposure), len(background), axis=0)
    areas = [one.pixel_area.to_value("deg2") for one in observation.counts.pixels]
    level = background / areas * resolution.pixel**2
    return np.log(np.stack(threshold_and_width(shares, level, resolution), axis=1))


def _of_clumps(
    clumps: ClumpFit, ts: np.ndarray, score: np.ndarray, vectors: np.ndarray
) -> list[np.ndarray]:
    """Columns that separate point sources from clumps, each (n,)."""
    point, clump = np.log1p(clumps.point.T), np.log1p(clumps.clump.T)
    loss = np.stack([clump[-1] - np.log1p(ts), point[-1] - np.log1p(ts)], axis=1)
    return [*point, *clump, *_of_neighbours(loss, score, vectors).T]


def _of_neighbours(values: np.ndarray, weights: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Means of values (n, m) over all other detections near each; 0 where there are none."""
    reach = 2 * np.sin(np.radians(_AROUND) / 2)
    tree = cKDTree(vectors)
    one, other = tree.query_pairs(reach, output_type="ndarray").T
    one, other = np.concatenate([one, other]), np.concatenate([other, one])
    n = len(vectors)
    total = np.bincount(one, weights[other], minlength=n) + _DOUBT
    sums = [np.bincount(one, (weights * column)[other], minlength=n) for column in values.T]
    return np.stack(sums, axis=1) / total[:, None]
