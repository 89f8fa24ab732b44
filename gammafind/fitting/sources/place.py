"""Position of one source, and its error ellipse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.catalogue.merging import R68_OVER_SIGMA
from gammafind.fitting.sources.field import Field
from gammafind.fitting.sources.local import Local, solved
from gammafind.sky.projection import local_bases

_GRID = 1.35 * np.array([(i, j) for j in range(-2, 3) for i in range(-2, 3)], dtype=float)
"""Offsets in units of sigma: dense and wide enough for the moments of a Gaussian."""
_FINE_GRID = 0.7 * np.array([(i, j) for j in range(-4, 5) for i in range(-4, 5)], dtype=float)
"""Offsets in units of sigma: dense enough for posteriors that are not Gaussians."""
_INNER = 0.9
"""Share of the counts in the pixels in which the source is moved: its wings say little."""
_CHANGES = (0.5, 2.0)
"""Range of the change of sigma per round: keeps the next grid useful."""
_SETTLED, _SHIFT = (0.85, 1.2), 0.5
"""Change of sigma, and the move in sigma, after which a fit ends."""
_ROUNDS = 8
"""Most grids."""
_NARROWEST, _WIDEST = 0.003, 0.6
"""Least and largest sigma in sizes of the source: beyond them the posterior says no more."""
_STEPS = 3
"""Newton steps of the amplitudes at each place, which begin at the best fit."""
_LEAST = 1e-9
"""Least expected counts of a pixel: keeps logarithms finite."""
_LONGEST = 0.9
"""Share by which a step may lower the expected counts of a pixel: keeps them positive."""


@dataclass(frozen=True, eq=False)
class Ellipse:
    """Position and its error.

    Attributes
    ----------
    vector : ndarray, shape (3,)
    covariance : ndarray, shape (2, 2)
        In square degrees, east and north.
    scale68, scale95 : float
        Semi-axes of the ellipses of 68 % and 95 %, in sigma.
    good : bool
        Whether the fit converged.
    """

    vector: np.ndarray
    covariance: np.ndarray
    scale68: float
    scale95: float
    good: bool

    def axes(self) -> tuple[float, float]:
        """1 sigma along the longer and the shorter axis in degrees."""
        minor, major = np.sqrt(np.maximum(np.linalg.eigvalsh(self.covariance), 0))
        return float(major), float(minor)

    def along(self) -> np.ndarray:
        """Unit vector of a place on the longer axis, one sigma from the position."""
        variance, axes = np.linalg.eigh(self.covariance)
        basis = local_bases(self.vector[None])[0]
        return _shifted(self.vector, basis, axes[:, 1] * np.sqrt(max(variance[1], 0)))


def fit_place(
    field: Field,
    local: Local,
    counts: np.ndarray,
    places: np.ndarray,
    model: np.ndarray,
    *,
    coarse: bool,
) -> Ellipse:
    """Move one source, with its amplitude and everything around it free.

    Parameters
    ----------
    field : Field
    local : Local
    counts : ndarray, shape (n_bands,)
        Counts of the source.
    places : ndarray, shape (n_bands,)
        Of the PSFs of its spectrum.
    model : ndarray, shape (k,)
        Expected counts at the best fit, with the source.
    coarse : bool
        Whether pixels are as wide as the PSF, so that the posterior is no Gaussian.

    Notes
    -----
    The profile likelihood on a grid, with a flat prior, is the posterior. The ellipse is that of
    its covariance.
    """
    moved = _Moved(field, local, counts, places, model)
    vector, sigma = field.region.vector, moved.first_sigma()
    spread, good = sigma * np.eye(2), False
    for _ in range(_ROUNDS):
        mean, change = _moments(moved.gains(vector, spread, _GRID), _GRID)
        basis = local_bases(vector[None])[0]
        vector = _shifted(vector, basis, spread @ mean)
        values, axes = np.linalg.eigh(change)
        sigmas = np.sqrt(np.maximum(values, 0))
        spread = spread @ (axes * np.clip(sigmas, *_CHANGES)) @ axes.T
        size = np.sqrt((spread**2).sum() / 2) / moved.size
        low, high = _SETTLED
        if np.all((sigmas > low) & (sigmas < high)) and np.linalg.norm(mean) < _SHIFT:
            good = True
            break
        if not _NARROWEST < size < _WIDEST:
            break
    scales = R68_OVER_SIGMA, float(np.sqrt(2 * np.log(20)))
    if coarse:
        gains = moved.gains(vector, spread, _FINE_GRID)
        scales = tuple(_radius(gains, share) for share in (0.68, 0.95))
    return Ellipse(vector, spread @ spread.T, *scales, good)


class _Moved:
    """The likelihood of a source at places near its own."""

    def __init__(
        self, field: Field, local: Local, counts: np.ndarray, places: np.ndarray, model: np.ndarray
    ):
        instrument = field.instrument
        self._field, self._places, self._counts = field, places, counts
        radius = np.array(
            [
                psf.containment_radius(_INNER).to_value("rad") + pixels.pixel_size.to_value("rad")
                for psf, pixels in zip(instrument.psfs, instrument.pixels, strict=True)
            ]
        )
        sizes = np.array([p.containment_radius(0.68).to_value("deg") for p in instrument.psfs])
        own = counts[local.band] * local.share
        weight = np.bincount(local.band, own**2 / model, minlength=len(sizes)) / sizes**2
        self.size = float(
            np.sqrt(weight.sum() * 1.0 / np.maximum((weight / sizes**2).sum(), 1e-300))
        )
        self._information = float(
            np.bincount(local.band, own**2 / model, minlength=len(sizes)).sum()
        )
        inside = field.within(radius)
        self._pixels = field.cut(inside)
        inner = inside[field.valid]
        self._inner_valid = field.valid[inside]
        rows = local.others
        outer = ~inner
        ratio = local.counts[outer] / model[outer] - 1
        self._slope = np.einsum("qk,k->q", rows[:, outer], ratio)
        self._matrix = np.einsum("qk,rk->qr", rows[:, outer] / model[outer], rows[:, outer])
        self._seen, self._others = local.counts[inner], rows[:, inner]
        self._rest = np.maximum(model[inner] - own[inner], _LEAST)
        self._band = local.band[inner]

    def first_sigma(self) -> float:
        """About the 1 sigma error in degrees."""
        return self.size / np.sqrt(max(self._information, 4.0))

    def gains(self, vector: np.ndarray, spread: np.ndarray, grid: np.ndarray) -> np.ndarray:
        """Log-likelihood at points of a grid in units of ``spread``, shape (m,)."""
        basis = local_bases(vector[None])[0]
        vectors = _shifted(vector, basis, grid @ spread.T)
        share = self._field.shares_at(vectors, self._pixels, self._places)[:, self._inner_valid]
        own = share * self._counts[self._band]
        return self._fitted(own)

    def _fitted(self, own: np.ndarray) -> np.ndarray:
        m, q = len(own), len(self._others)
        rows = np.concatenate(
            [own[:, None], np.broadcast_to(self._others, (m, *self._others.shape))], axis=1
        )
        values = np.zeros((m, q + 1))
        values[:, 0] = 1.0
        prior = np.zeros((q + 1, q + 1))
        prior[1:, 1:] = self._matrix
        tilt = np.concatenate([[0.0], self._slope])
        for _ in range(_STEPS):
            model = np.maximum(self._rest + np.einsum("mp,mpk->mk", values, rows), _LEAST)
            slope = np.einsum("mpk,mk->mp", rows, self._seen / model - 1) + tilt - values @ prior
            information = (rows / model[:, None]) @ rows.transpose(0, 2, 1) + prior
            step = solved(information, slope)
            fall = (-np.einsum("mp,mpk->mk", step, rows) / model).max(axis=1)
            share = np.minimum(1, _LONGEST / np.maximum(fall, 1e-12))
            values += step * share[:, None]
            values[:, 0] = np.maximum(values[:, 0], 0)
        model = np.maximum(self._rest + np.einsum("mp,mpk->mk", values, rows), _LEAST)
        gain = np.einsum("k,mk->m", self._seen, np.log(model)) - model.sum(axis=1)
        return gain + values @ tilt - np.einsum("mp,pq,mq->m", values, prior, values) / 2


def _shifted(vector: np.ndarray, basis: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Unit vector moved by degrees east and north, shapes (..., 2) and (..., 3)."""
    moved = vector + np.radians(offset) @ basis[:2]
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)


def _moments(gains: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the posterior, in units of the grid."""
    weight = np.exp(gains - gains.max())
    weight /= weight.sum()
    mean = weight @ grid
    return mean, np.einsum("m,mi,mj->ij", weight, grid, grid) - np.outer(mean, mean)


def _radius(gains: np.ndarray, share: float) -> float:
    """Radius with a share of the posterior, in units of the grid."""
    weight = np.exp(gains - gains.max())
    radius = np.linalg.norm(_FINE_GRID, axis=1)
    order = np.argsort(radius, kind="stable")
    below = np.cumsum(weight[order]) - weight[order] / 2
    return float(np.interp(share, below / weight.sum(), radius[order]))
