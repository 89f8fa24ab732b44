"""Counts of overlapping sources in all bands together, with spectra that are smooth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg

from gammafind.sky.spectral_forms import log_parabola
from gammafind.sky.spectral_response import SpectralResponse
from gammafind.utils.workers import in_threads

_INDEX, _INDEX_SCATTER = 2.3, 0.4
_BETA, _BETA_SCATTER = 0.1, 0.2
"""Mean and scatter of the indices and curvatures of faint sources, about those of 4FGL-DR2."""
_PIVOT = 1500.0
"""Energy in MeV to which they belong: about the pivot energy of faint sources of the LAT."""
_BAND_SCATTER = 0.1
"""Relative scatter of a band about a log-parabola: cut-offs of pulsars."""
_CHANNEL_SCATTER = 0.02
"""Relative scatter of channels of the same energies: keeps the covariance regular."""
_FREE = 10.0
"""Scatter of the logarithm of the amplitude: any brightness is as good."""
_LEAST = 1e-3
"""Least counts of a source: keeps logarithms finite."""
_FAR = 3.0
"""Furthest start from the mean spectrum, in logarithms: bands without counts grow again."""
_STEP = 1.0
"""Longest step of a logarithm: further its slopes say nothing."""
_STEPS, _ENOUGH, _SHORTEST = 8, 1.0, 1e-3
"""Most steps, the gain in the log-likelihood at which the fit ends, which is no matter for a
source, and the shortest share of a step that is tried."""
_SLOW = 0.5
"""Share of the previous gain below which the information is not computed again: balances steps and
their cost."""
_CELLS, _LEVEL_SCATTER = 16, 0.1
"""Resolution nside of the cells in which the level of the background is free, about as wide as it
may vary, and the relative scatter of the level: balances neighbours of all sizes."""
_TOLERANCE, _MOST = 1e-3, 200
"""Tolerance and most rounds of conjugate gradients: any number raises the likelihood."""


class Near(Protocol):
    """One band near the sources: ``counts`` and ``fixed`` model (k,), ``templates`` (k, n)."""

    counts: np.ndarray
    fixed: np.ndarray
    templates: sparse.csc_array


@dataclass(frozen=True, eq=False)
class SpectralPrior:
    """What is known of the spectra of sources before they are seen.

    Attributes
    ----------
    mean : ndarray, shape (n_bands,)
        Logarithm of the counts over the exposure of the mean spectrum, of any amplitude.
    precision : ndarray, shape (n_bands, n_bands)
        Inverse covariance of the logarithms.
    """

    mean: np.ndarray
    precision: np.ndarray

    @classmethod
    def of(
        cls, responses: Sequence[SpectralResponse], edges: Sequence[tuple[float, float]]
    ) -> SpectralPrior:
        """Log-parabolas of bands with some responses and edges in MeV."""
        pivot = float(np.clip(_PIVOT, np.min(edges), np.max(edges)))

        def seen(index: float, beta: float) -> np.ndarray:
            spectra = [log_parabola(one.energy, 1.0, pivot, index, beta) for one in responses]
            pairs = zip(responses, spectra, strict=True)
            return np.log([one.seen(spectrum) for one, spectrum in pairs])

        mean, step = seen(_INDEX, _BETA), 0.01
        modes = [
            np.full(len(mean), _FREE),
            (seen(_INDEX + step, _BETA) - mean) / step * _INDEX_SCATTER,
            (seen(_INDEX, _BETA + step) - mean) / step * _BETA_SCATTER,
        ]
        same = np.array([[one == other for other in edges] for one in edges])
        covariance = sum(np.outer(mode, mode) for mode in modes)
        covariance += _BAND_SCATTER**2 * same + _CHANNEL_SCATTER**2 * np.eye(len(mean))
        return cls(mean, np.linalg.inv(covariance))


def by_cell(vectors: np.ndarray, background: np.ndarray) -> sparse.csc_array:
    """Background of the pixels at unit vectors (k, 3), one column for each cell of the sky."""
    import healpy as hp

    k = len(vectors)
    cell = hp.vec2pix(_CELLS, *vectors.T)
    shape = (k, hp.nside2npix(_CELLS))
    return sparse.csr_array((background, cell, np.arange(k + 1)), shape=shape).tocsc()


def fit_smooth(
    bands: Sequence[Near],
    levels: Sequence[sparse.csc_array],
    counts: np.ndarray,
    exposure: np.ndarray,
    prior: SpectralPrior,
) -> np.ndarray:
    """Most probable counts of all sources in all bands.

    Parameters
    ----------
    bands : sequence of Near
    levels : sequence of sparse array, shape (k, n_cells)
        Of `by_cell`, the background of each band, whose level in each cell is free too.
    counts : ndarray, shape (n, n_bands)
        First guess.
    exposure : ndarray, shape (n, n_bands)
    prior : SpectralPrior

    Returns
    -------
    ndarray, shape (n, n_bands)
        Positive.

    Notes
    -----
    Newton's method with the expected information, for the logarithms of the counts. The prior joins
    the bands of each source; the pixels join the sources of each band. Where PSFs overlap so
    much that a band cannot say which source its photons are from, the other bands say it.
    """
    n, n_cells = len(counts), levels[0].shape[1]
    exposure = np.maximum(exposure, 1e-6 * exposure.max(axis=1, keepdims=True, initial=1e-300))
    mean = np.log(exposure) + prior.mean
    total = np.log(np.maximum(counts.sum(axis=1), _LEAST)) - np.logaddexp.reduce(mean, axis=1)
    middle = mean + total[:, None]
    start = np.clip(np.log(np.maximum(counts, _LEAST)), middle - _FAR, middle + _FAR)
    none = np.zeros((n_cells, counts.shape[1]))
    fit = _Fit(bands, levels, np.concatenate([mean, none]), prior.precision, n)
    return np.exp(fit.maximum(np.concatenate([start, none]))[:n])


class _Fit:
    """The posterior of the logarithms of the counts of sources, and of the levels of cells."""

    def __init__(
        self,
        bands: Sequence[Near],
        levels: Sequence[sparse.csc_array],
        mean: np.ndarray,
        precision: np.ndarray,
        n_sources: int,
    ) -> None:
        self._counts, self._mean = [band.counts for band in bands], mean
        pairs = list(zip(bands, levels, strict=True))
        self._fixed = [band.fixed - np.asarray(level.sum(axis=1)).ravel() for band, level in pairs]
        self._templates = [
            sparse.hstack([band.templates, level], format="csc") for band, level in pairs
        ]
        self._by_pixel = list(in_threads(lambda one: one.tocsr(), self._templates))
        self._total = [np.asarray(one.sum(axis=0)).ravel() for one in self._templates]
        n_bands, n_all = len(bands), len(mean)
        self._precision = np.empty((n_all, n_bands, n_bands))
        self._precision[:n_sources] = precision
        self._precision[n_sources:] = np.eye(n_bands) / _LEVEL_SCATTER**2

    def maximum(self, logs: np.ndarray) -> np.ndarray:
        """Most probable logarithms, shape (n_all, n_bands)."""
        value, models = self._value(logs)
        before, information = 0.0, None
        for _ in range(_STEPS):
            if information is None:
                information = self._information(logs, models)
            step, share = self._step(logs, models, information), 1.0
            while True:
                after = logs + share * step
                new, new_models = self._value(after)
                if new > value or share < _SHORTEST:
                    break
                share /= 2
            gain = new - value
            if gain <= 0:
                break
            logs, value, models = after, new, new_models
            if gain < _ENOUGH:
                break
            if share < 1 or gain > _SLOW * before:
                information = None
            before = gain
        return logs

    def _value(self, logs: np.ndarray) -> tuple[float, list[np.ndarray]]:
        """Logarithm of the posterior, and expected counts of each band."""

        def of_band(i: int) -> tuple[float, np.ndarray]:
            model = self._fixed[i] + self._by_pixel[i] @ np.exp(logs[:, i])
            return float((self._counts[i] * np.log(model)).sum() - model.sum()), model

        parts = list(in_threads(of_band, range(len(self._counts))))
        miss = logs - self._mean
        prior = np.einsum("nb,nbc,nc->", miss, self._precision, miss) / 2
        return sum(value for value, _ in parts) - float(prior), [model for _, model in parts]

    def _information(self, logs: np.ndarray, models: list[np.ndarray]) -> list[sparse.csr_array]:
        """Fisher information of the logarithms of each band, without the prior."""

        def of_band(i: int) -> sparse.csr_array:
            templates, scale = self._by_pixel[i], sparse.diags_array(np.exp(logs[:, i]))
            weight = np.repeat(1 / models[i], np.diff(templates.indptr))
            weighted = sparse.csr_array(
                (templates.data * weight, templates.indices, templates.indptr),
                shape=templates.shape,
            )
            return (scale @ (self._templates[i].T.tocsr() @ weighted) @ scale).tocsr()

        return list(in_threads(of_band, range(len(models))))

    def _step(
        self, logs: np.ndarray, models: list[np.ndarray], information: list[sparse.csr_array]
    ) -> np.ndarray:
        """Newton step of all logarithms, shape (n_all, n_bands)."""
        shape, size = logs.shape, (logs.size, logs.size)
        slope = -np.einsum("nb,nbc->nc", logs - self._mean, self._precision)
        for i, model in enumerate(models):
            change = self._templates[i].T @ (self._counts[i] / model) - self._total[i]
            slope[:, i] += np.exp(logs[:, i]) * change
        own = np.stack([one.diagonal() for one in information], axis=1)
        inverse = np.linalg.inv(self._precision + own[:, :, None] * np.eye(shape[1]))

        def product(flat: np.ndarray) -> np.ndarray:
            some = flat.reshape(shape)
            each = [one @ some[:, i] for i, one in enumerate(information)]
            prior = np.einsum("nb,nbc->nc", some, self._precision)
            return (np.stack(each, axis=1) + prior).ravel()

        def alone(flat: np.ndarray) -> np.ndarray:
            return np.einsum("nbc,nc->nb", inverse, flat.reshape(shape)).ravel()

        found, _ = cg(
            LinearOperator(size, product, dtype=float),
            slope.ravel(),
            rtol=_TOLERANCE,
            maxiter=_MOST,
            M=LinearOperator(size, alone, dtype=float),
        )
        return np.clip(found.reshape(shape), -_STEP, _STEP)
