"""Results of likelihood fits to given detections: TS, counts, flux."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.fitting.photons.clumps import ClumpFit


@dataclass(frozen=True, eq=False)
class FluxFit:
    """Results of likelihood fits to n detections, for each of several photon indices.

    Attributes
    ----------
    ts : ndarray, shape (n, n_indices)
        2 ln of the likelihood ratio with and without the source, everything else fixed.
    npred : ndarray, shape (n, n_indices)
        Counts of the source in all bands together.
    npred_err : ndarray, shape (n, n_indices)
        Their 1 sigma errors, with neighbours fixed.
    exposure : ndarray, shape (n, n_indices)
        Counts of a source of flux one (in all bands together).
    background : ndarray, shape (n, n_bands)
        Expected background counts per pixel there.
    clumps : ClumpFit, optional
        Comparison with clumps, if the map pixels are finer than the PSF.
    """

    ts: np.ndarray
    npred: np.ndarray
    npred_err: np.ndarray
    exposure: np.ndarray
    background: np.ndarray
    clumps: ClumpFit | None = None

    def at_best(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """TS, counts, their error and exposure, each (n,), at the index with the highest TS."""
        best = self.ts.argmax(axis=1)[:, None]
        return tuple(
            np.take_along_axis(array, best, axis=1)[:, 0]
            for array in (self.ts, self.npred, self.npred_err, self.exposure)
        )
