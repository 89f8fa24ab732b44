"""Likelihood ratio of one more source at any number of positions, in bounded memory."""

from __future__ import annotations

import numpy as np

from gammafind.measure.data import SkyData, gather
from gammafind.measure.likelihood import AmplitudeFit, fit_amplitudes

__all__ = ["scan"]

_CHUNK = 10_000


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
    fits = [
        fit_amplitudes(
            *gather(
                data,
                vectors[part],
                without=without and (without[0][part], without[1][part]),
            )
        )
        for part in np.array_split(np.arange(len(vectors)), len(vectors) // _CHUNK + 1)
    ]
    return AmplitudeFit(
        np.concatenate([fit.amplitude for fit in fits]),
        np.concatenate([fit.ts for fit in fits]),
        np.concatenate([fit.information for fit in fits]),
    )
