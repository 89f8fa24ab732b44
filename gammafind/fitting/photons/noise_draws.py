"""Counts drawn at some places, and fits of sources to them in the pixels that have photons."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np

from gammafind.fitting.photons.likelihood import AmplitudeFit, fit_amplitudes


class Drawn:
    """Counts of several rows, each at one of the places, in the pixels that have any.

    Fits use the weights of the bands at each place, shape (n, n_bands).
    """

    def __init__(
        self, row: np.ndarray, band: np.ndarray, counts: np.ndarray, weight: np.ndarray
    ) -> None:
        most = int((counts > 0).sum(axis=1).max(initial=1))
        order = np.argsort(counts == 0, axis=1, kind="stable")[:, :most]
        self._row, self._order = row, order
        self._starts = np.flatnonzero(np.diff(band, prepend=-1))
        self._band, self._weight = band[order], weight
        self.counts = self.of(counts)

    def take(self, chosen: np.ndarray) -> Drawn:
        """Some of the rows."""
        new = copy(self)
        for name in ("_row", "_order", "_band", "_weight", "counts"):
            setattr(new, name, getattr(self, name)[chosen])
        return new

    def of(self, values: np.ndarray) -> np.ndarray:
        """Values of pixels with photons, from those of all, shape (n, k)."""
        return np.take_along_axis(values, self._order, axis=1)

    def templates(self, shares: np.ndarray) -> Templates:
        """Sources at positions around each place, from shares (n_places, m, k)."""
        near = shares.transpose(0, 2, 1)[self._row[:, None], self._order].transpose(0, 2, 1)
        total = np.add.reduceat(shares, self._starts, axis=2)[self._row]
        return Templates(near, total, self._band)

    def own_templates(self, shares: np.ndarray) -> Templates:
        """Sources at positions of each row, from shares (n, m, k)."""
        near = np.take_along_axis(shares, self._order[:, None], axis=2)
        return Templates(near, np.add.reduceat(shares, self._starts, axis=2), self._band)

    def ts(self, model: np.ndarray, templates: Templates, spectrum: np.ndarray) -> np.ndarray:
        """TS of sources at each position, shape (n, m)."""
        return self.fit(model, templates, spectrum).ts

    def fit(self, model: np.ndarray, templates: Templates, spectrum: np.ndarray) -> AmplitudeFit:
        """Fit of sources at each position, shape (n, m)."""
        share, total = templates.weighted(spectrum * self._weight)
        n, m, k = share.shape
        weight = np.take_along_axis(self._weight, self._band, axis=1)
        counts, model = (np.repeat(one * weight, m, axis=0) for one in (self.counts, model))
        fit = fit_amplitudes(counts, model, share.reshape(n * m, k), total.ravel())
        arrays = (fit.amplitude, fit.ts, fit.information)
        return AmplitudeFit(*(one.reshape(n, m) for one in arrays))


@dataclass(frozen=True, eq=False)
class Templates:
    """Shares (n, m, k) of sources in pixels, their sums (n, m, n_bands), and bands (n, k)."""

    share: np.ndarray
    total: np.ndarray
    band: np.ndarray

    def take(self, rows: np.ndarray, positions: np.ndarray) -> Templates:
        """Some positions, shape (n_rows, m), of some rows."""
        at = rows[:, None], positions
        return Templates(self.share[at], self.total[at], self.band[rows])

    def weighted(self, spectrum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares and sums for shares (n, n_bands) of the counts in the bands."""
        weight = np.take_along_axis(spectrum, self.band, axis=1)
        return self.share * weight[:, None], np.einsum("nmb,nb->nm", self.total, spectrum)
