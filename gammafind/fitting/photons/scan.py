"""Likelihood ratio of one more source at any number of positions, with limited memory."""

from __future__ import annotations

import numpy as np

from gammafind.fitting.photons.data import CONTAINMENT, SkyData, Surroundings, gather
from gammafind.fitting.photons.likelihood import AmplitudeFit, fit_amplitudes
from gammafind.sky.psf_stamps import COARSE, FINE, pixels_near
from gammafind.utils.workers import in_threads

_CHUNK = 400_000
"""Pairs of a position and a pixel per step: limits memory."""
CORE = 0.8
"""Share of the counts in the pixels that determine a position: the wings do not."""
_BRIGHT = 100.0
"""Counts above which a source is removed from the model with fine sub-pixels: balances accuracy and
time."""


def scan(
    data: SkyData,
    vectors: np.ndarray,
    *,
    without: tuple[np.ndarray, np.ndarray] | None = None,
    containment: float = CONTAINMENT,
) -> AmplitudeFit:
    """Fit the counts of a source at each position, everything else fixed.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, 3) or (n, m, 3)
        Positions, or m nearby positions around each of n places.
    without : tuple of ndarray, shapes (n, 3) and (n, n_bands), optional
        Positions and counts of sources to remove from the model, one for each place.
    containment : float
        Minimum share of the counts of a source in the pixels that are used.

    Returns
    -------
    AmplitudeFit
        Amplitudes are counts in all bands together; arrays of shape (n,) or (n, m).
    """
    groups = vectors if vectors.ndim == 3 else vectors[:, None]
    n, m = groups.shape[:2]
    bright = np.zeros(n, dtype=bool) if without is None else without[1].sum(axis=1) > _BRIGHT
    tightest = np.argsort(np.linalg.norm(groups - groups[:, :1], axis=-1).max(axis=1))
    found = np.zeros((3, n, m))
    pixels = _pixels(data, groups, containment)
    for chosen, sampling in ((~bright, COARSE), (bright, FINE)):
        rows = tightest[chosen[tightest]]
        parts = np.array_split(rows, len(rows) * m * pixels // _CHUNK + 1)

        def fit(part: np.ndarray, sampling: float = sampling) -> np.ndarray:
            own = without and (without[0][part], without[1][part])
            near = gather(
                data, groups[part], containment=containment, without=own, sampling=sampling
            )
            return _fit(near)

        for part, values in zip(parts, in_threads(fit, parts), strict=True):
            found[:, part] = values
    return AmplitudeFit(*found.reshape(3, *vectors.shape[:-1]))


def _pixels(data: SkyData, groups: np.ndarray, containment: float) -> int:
    """Number of pixels of all bands around one position."""
    some = groups[:1, 0]
    return sum(
        pixels_near(some, band.pixels, band.psf, containment=containment).shape[1]
        for band in data.bands
        if len(some)
    )


def _fit(near: Surroundings) -> np.ndarray:
    """Amplitude, TS and information of each template, shape (3, n, m)."""
    n, m, k = near.templates.shape
    counts, model = (np.repeat(array, m, axis=0) for array in (near.counts, near.model))
    fit = fit_amplitudes(counts, model, near.templates.reshape(n * m, k))
    return np.stack([fit.amplitude, fit.ts, fit.information]).reshape(3, n, m)
