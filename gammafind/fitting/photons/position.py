"""Positions at the maximum of the likelihood ratio, and their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.fitting.photons.data import SkyData
from gammafind.fitting.photons.scan import scan
from gammafind.sky.projection import local_bases

_NEIGHBOURS = np.array([(i, j) for j in (-1, 0, 1) for i in (-1, 0, 1)], dtype=float)
"""Offsets of a 3 x 3 grid."""
_SOLVER = np.linalg.pinv(
    np.column_stack(
        [
            np.ones(9),
            _NEIGHBOURS,
            _NEIGHBOURS**2 / 2,
            _NEIGHBOURS[:, 0] * _NEIGHBOURS[:, 1],
        ]
    )
)
_LONGEST_MOVE = 1.5
"""Grid steps per move: keeps the quadratic approximation valid."""
_GRID = 1.35 * np.array([(i, j) for j in range(-2, 3) for i in range(-2, 3)], dtype=float)
"""Offsets in units of sigma: dense and wide enough for the moments of a Gaussian."""
_SPREADS = (0.5, 2.0)
"""Range of the change of sigma per round: keeps the next grid useful."""
_R68_PER_SIGMA = float(np.sqrt(-2 * np.log(1 - 0.6827)))


@dataclass(frozen=True, eq=False)
class PositionFit:
    """Positions with their errors.

    Attributes
    ----------
    vectors : ndarray, shape (n, 3)
        Mean positions.
    sigma : ndarray, shape (n,)
        1 sigma along one axis in degrees, the mean of both.
    """

    vectors: np.ndarray
    sigma: np.ndarray

    @property
    def r68(self) -> np.ndarray:
        """Radius in degrees with 68 % probability, for circular Gaussian errors."""
        return _R68_PER_SIGMA * self.sigma


def climb(data: SkyData, vectors: np.ndarray, *, step: float, iterations: int = 3) -> np.ndarray:
    """Move positions to the maximum of TS near them, by quadratic fits on 3 x 3 grids.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, 3)
        First guesses.
    step : float
        Spacing of the first grid in degrees; it is halved each time the maximum is inside the grid.
    iterations : int

    Returns
    -------
    ndarray, shape (n, 3)
        The end of the moves, or the highest position on the way if TS is lower at the end, as it
        may be where pixels are wider than the PSF.
    """
    if not len(vectors):
        return vectors
    steps = np.full(len(vectors), float(step))
    best, highest = vectors.copy(), np.full(len(vectors), -np.inf)
    for _ in range(iterations):
        basis = local_bases(vectors)
        ts = _grid_ts(data, vectors, basis, _NEIGHBOURS, steps, None)
        top = ts.max(axis=1)
        better = top > highest
        there = shifted(vectors, basis, _NEIGHBOURS[ts.argmax(axis=1)] * steps[:, None])
        best[better], highest[better] = there[better], top[better]
        move = _quadratic_move(ts)
        vectors = shifted(vectors, basis, move * steps[:, None])
        steps = np.where(np.abs(move).max(axis=1) < 1, steps / 2, steps)
    lower = scan(data, vectors).ts < highest
    return np.where(lower[:, None], best, vectors)


def fit_positions(
    data: SkyData,
    vectors: np.ndarray,
    counts: np.ndarray,
    scale: np.ndarray,
    *,
    rounds: int = 2,
) -> PositionFit:
    """Mean and spread of the position of each source, everything else fixed.

    Parameters
    ----------
    data : SkyData
        Its model includes the sources.
    vectors : ndarray, shape (n, 3)
        Positions of the sources in the model.
    counts : ndarray, shape (n, n_bands)
        Their counts in the model; each source is removed for its own fit.
    scale : ndarray, shape (n,)
        Expected 1 sigma position error in degrees, which determines the width of the grid.
    rounds : int
        Number of grids, each based on the result of the previous one.

    Returns
    -------
    PositionFit

    Notes
    -----
    The profile likelihood on a square grid, with a flat prior, is the posterior: weights ``exp(TS /
    2)``. If pixels are wider than the PSF, TS is flat within a pixel, and the mean is a better
    position than the maximum.
    """
    if not len(vectors):
        return PositionFit(vectors, np.zeros(0))
    own = (vectors.copy(), counts)
    sigma = np.asarray(scale, dtype=float)
    for _ in range(rounds):
        basis = local_bases(vectors)
        mean, spread = _moments(_grid_ts(data, vectors, basis, _GRID, sigma, own))
        vectors = shifted(vectors, basis, mean * sigma[:, None])
        sigma = sigma * np.clip(spread, *_SPREADS)
    return PositionFit(vectors, sigma)


def shifted(vectors: np.ndarray, basis: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Move unit vectors by offsets (..., n, 2) in degrees east and north."""
    plane = np.radians(offset)
    moved = vectors + plane[..., :1] * basis[:, 0] + plane[..., 1:] * basis[:, 1]
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)


def _grid_ts(
    data: SkyData,
    vectors: np.ndarray,
    basis: np.ndarray,
    offsets: np.ndarray,
    steps: np.ndarray,
    own: tuple[np.ndarray, np.ndarray] | None,
) -> np.ndarray:
    """TS at the offsets, shape (m, 2), in units of ``steps`` from each position, shape (n, m)."""
    grid = shifted(vectors, basis, offsets[:, None] * steps[:, None]).transpose(1, 0, 2)
    return scan(data, grid, without=own).ts


def _quadratic_move(ts: np.ndarray) -> np.ndarray:
    """Offset of the maximum of the quadratic through 3 x 3 values, in grid steps.

    If the quadratic has no maximum, the highest grid point.
    """
    _, gx, gy, hxx, hyy, hxy = _SOLVER @ ts.T
    curvature = -np.stack([hxx, hxy, hxy, hyy], axis=-1).reshape(-1, 2, 2)
    eigenvalues = np.linalg.eigvalsh(curvature)
    peaked = eigenvalues[:, 0] > 1e-6 * np.maximum(eigenvalues[:, 1], 1e-300)
    move = _NEIGHBOURS[ts.argmax(axis=1)]
    gradient = np.stack([gx, gy], axis=-1)[peaked]
    move[peaked] = np.linalg.solve(curvature[peaked], gradient[..., None])[..., 0]
    length = np.linalg.norm(move, axis=1, keepdims=True)
    return move * np.minimum(1, _LONGEST_MOVE / np.maximum(length, 1e-12))


def _moments(ts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean, shape (n, 2), and 1 sigma per axis, shape (n,), of the posterior on the grid."""
    weight = np.exp((ts - ts.max(axis=1, keepdims=True)) / 2)
    weight /= weight.sum(axis=1, keepdims=True)
    mean = weight @ _GRID
    variance = weight @ _GRID**2 - mean**2
    return mean, np.sqrt(np.maximum(variance.mean(axis=1), 0))
