"""Likelihood ratio of one more source at any number of positions, in bounded memory."""

from __future__ import annotations

import numpy as np

from gammafind.measure.data import SkyData, gather
from gammafind.measure.likelihood import AmplitudeFit, fit_amplitudes
from gammafind.sky.stamps import COARSE, FINE

__all__ = ["scan"]

_CHUNK = 10_000
_BRIGHT = 100.0
"""Counts above which a source is taken out of the model with fine sub-pixels."""


def scan(
    data: SkyData,
    vectors: np.ndarray,
    *,
    without: tuple[np.ndarray, np.ndarray] | None = None,
) -> AmplitudeFit:
    """Fit the counts of a source at each position, everything else fixed.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, 3)
    without : tuple of ndarray, shapes (n, 3) and (n,), optional
        Positions and counts of sources to take out of the model, one for each position.

    Returns
    -------
    AmplitudeFit
        Amplitudes are counts in all bands together.
    """
    n = len(vectors)
    bright = np.zeros(n, dtype=bool) if without is None else without[1] > _BRIGHT
    fit = AmplitudeFit(np.zeros(n), np.zeros(n), np.zeros(n))
    for rows, sampling in ((np.flatnonzero(~bright), COARSE), (np.flatnonzero(bright), FINE)):
        for part in np.array_split(rows, len(rows) // _CHUNK + 1):
            own = without and (without[0][part], without[1][part])
            near = gather(data, vectors[part], without=own, sampling=sampling)
            found = fit_amplitudes(*near)
            fit.amplitude[part] = found.amplitude
            fit.ts[part] = found.ts
            fit.information[part] = found.information
    return fit
