"""Likelihood ratio of one more source at any number of positions, with limited memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gammafind.fitting.photons.data import SkyData
from gammafind.fitting.photons.likelihood import AmplitudeFit, fit_amplitudes
from gammafind.fitting.photons.surroundings import (
    BRIGHT,
    CONTAINMENT,
    Surroundings,
    at_stamps,
    centres,
    gather,
)
from gammafind.fitting.photons.templates import Templates
from gammafind.sky.psf_stamps import COARSE, FINE
from gammafind.utils.workers import in_threads

_CHUNK = 400_000
"""Pairs of a position and a pixel per step: limits memory."""
_WIDTHS = 4
"""Groups of places by the reach of their positions, each with steps of its own size: balances
memory and the number of steps (benchmarks/six_bands.py)."""
CORE = 0.8
"""Share of the counts in the pixels that determine a position: the wings do not."""


def scan(
    data: SkyData,
    vectors: np.ndarray,
    *,
    without: tuple[np.ndarray, np.ndarray] | None = None,
    containment: float = CONTAINMENT,
    shares: np.ndarray | None = None,
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
    shares : ndarray, shape (n, n_bands), optional
        Shares of the counts of each source in the bands; by default those of the index of ``data``.

    Returns
    -------
    AmplitudeFit
        Amplitudes are counts in all bands together; arrays of shape (n,) or (n, m).
    """
    groups = vectors if vectors.ndim == 3 else vectors[:, None]
    tried = (data.shares(centres(groups)) if shares is None else shares)[None]
    found = _scanned(data, groups, without, containment, tried)[:, 0]
    return AmplitudeFit(*found.reshape(3, *vectors.shape[:-1]))


def scan_spectra(
    data: SkyData,
    vectors: np.ndarray,
    tried: np.ndarray,
    *,
    without: tuple[np.ndarray, np.ndarray] | None = None,
) -> AmplitudeFit:
    """Fit the counts of a source with each of some spectra at each position.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, 3)
    tried : ndarray, shape (n_spectra, n, n_bands)
        Shares of the counts in the bands.
    without : tuple of ndarray, optional
        As for `scan`.

    Returns
    -------
    AmplitudeFit
        Arrays of shape (n_spectra, n).
    """
    return AmplitudeFit(*_scanned(data, vectors[:, None], without, CONTAINMENT, tried)[..., 0])


def scan_sources(
    data: SkyData,
    templates: Sequence[Templates],
    rows: np.ndarray,
    counts: np.ndarray,
    tried: np.ndarray,
) -> AmplitudeFit:
    """Fit the counts of sources of the model with each of some spectra, where they are.

    Parameters
    ----------
    data : SkyData
        Its model includes the sources.
    templates : sequence of Templates
        Of all sources, one per band.
    rows : ndarray of int, shape (n,)
        The sources that are fitted.
    counts : ndarray, shape (n, n_bands)
        Their counts in the model; each source is removed for its own fit.
    tried : ndarray, shape (n_spectra, n, n_bands)
        Shares of the counts in the bands.

    Returns
    -------
    AmplitudeFit
        Arrays of shape (n_spectra, n).
    """
    pixels = sum(one.stamps(rows[:1], CONTAINMENT).pixel.size for one in templates)
    parts = np.array_split(np.arange(len(rows)), len(rows) * pixels // _CHUNK + 1)

    def fit(part: np.ndarray) -> np.ndarray:
        stamps = [one.stamps(rows[part], CONTAINMENT) for one in templates]
        near = at_stamps(data, stamps, counts[part])
        return np.stack([_fit(near.weighted(one[part])) for one in tried], axis=1)

    return AmplitudeFit(*np.concatenate(list(in_threads(fit, parts)), axis=2)[..., 0])


def _scanned(
    data: SkyData,
    groups: np.ndarray,
    without: tuple[np.ndarray, np.ndarray] | None,
    containment: float,
    tried: np.ndarray,
) -> np.ndarray:
    """Amplitude, TS and information, shape (3, n_spectra, n, m)."""
    n, m = groups.shape[:2]
    bright = np.zeros(n, dtype=bool) if without is None else without[1].sum(axis=1) > BRIGHT
    spread = np.linalg.norm(groups - centres(groups)[:, None], axis=-1).max(axis=1)
    tightest = np.argsort(spread)
    found = np.zeros((3, len(tried), n, m))
    steps = []
    for chosen, sampling in ((~bright, COARSE), (bright, FINE)):
        for rows in filter(len, np.array_split(tightest[chosen[tightest]], _WIDTHS)):
            reach = float(spread[rows].max())
            pixels = sum(band.n_near(groups[rows, 0], containment, reach) for band in data.bands)
            parts = np.array_split(rows, len(rows) * m * pixels // _CHUNK + 1)
            steps += [(part, sampling) for part in parts]

    def fit(step: tuple[np.ndarray, float]) -> np.ndarray:
        part, sampling = step
        own = without and (without[0][part], without[1][part])
        near = gather(data, groups[part], containment=containment, without=own, sampling=sampling)
        return np.stack([_fit(near.weighted(one[part])) for one in tried], axis=1)

    for (part, _), values in zip(steps, in_threads(fit, steps), strict=True):
        found[:, :, part] = values
    return found


def _fit(near: Surroundings) -> np.ndarray:
    """Amplitude, TS and information of each template, shape (3, n, m)."""
    n, m, k = near.templates.shape
    counts, model = (np.repeat(array, m, axis=0) for array in (near.counts, near.model))
    fit = fit_amplitudes(counts, model, near.templates.reshape(n * m, k), near.totals.ravel())
    return np.stack([fit.amplitude, fit.ts, fit.information]).reshape(3, n, m)
