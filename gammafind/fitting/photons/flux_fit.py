"""What the likelihood says of detections that are known already: TS, counts, flux."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.fitting.photons.clumps import ClumpFit

__all__ = ["FluxFit"]


@dataclass(frozen=True, eq=False)
class FluxFit:
    """What the likelihood says of n detections, for each of some photon indices.

    Attributes
    ----------
    ts : ndarray, shape (n, n_indices)
        2 ln of the likelihood with the source over that without, all else fixed.
    npred : ndarray, shape (n, n_indices)
        Counts of the source in all bands together.
    npred_err : ndarray, shape (n, n_indices)
        Their 1 sigma errors, neighbours held.
    exposure : ndarray, shape (n, n_indices)
        Counts of a source of flux one (in all bands together).
    background : ndarray, shape (n, n_bands)
        Expected counts a pixel of the background there.
    clumps : ClumpFit, optional
        How much of each is a point, where the pixels of the maps are finer than the PSF.
    """

    ts: np.ndarray
    npred: np.ndarray
    npred_err: np.ndarray
    exposure: np.ndarray
    background: np.ndarray
    clumps: ClumpFit | None = None

    def at_best(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """TS, counts, their error and exposure, each (n,), at the index of the highest TS."""
        best = self.ts.argmax(axis=1)[:, None]
        return tuple(
            np.take_along_axis(array, best, axis=1)[:, 0]
            for array in (self.ts, self.npred, self.npred_err, self.exposure)
        )
