"""Positions at the maximum of the likelihood ratio, and their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.measure.data import SkyData
from gammafind.measure.scan import scan
from gammafind.sky.projection import tangent_basis

__all__ = ["PositionFit", "fit_positions"]

_OFFSETS = np.array([(i, j) for j in (-1, 0, 1) for i in (-1, 0, 1)], dtype=float)
_DESIGN = np.column_stack([np.ones(9), _OFFSETS, _OFFSETS**2 / 2, _OFFSETS[:, 0] * _OFFSETS[:, 1]])
_SOLVER = np.linalg.pinv(_DESIGN)
_R68 = np.sqrt(-2 * np.log(1 - 0.6827))
_LONGEST_MOVE = 1.5


@dataclass(frozen=True, eq=False)
class PositionFit:
    """Fitted positions.

    Attributes
    ----------
    vectors : ndarray, shape (n, 3)
    r68 : ndarray, shape (n,)
        Radius in degrees that holds the true position at 68 %; the geometric mean of the axes.
    converged : ndarray of bool, shape (n,)
        Whether TS has a maximum there within the last step.
    """

    vectors: np.ndarray
    r68: np.ndarray
    converged: np.ndarray


def fit_positions(
    data: SkyData,
    vectors: np.ndarray,
    *,
    step: float,
    iterations: int = 4,
    counts: np.ndarray | None = None,
) -> PositionFit:
    """Climb to the maximum of TS near each position by quadratic fits on 3 x 3 grids.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, 3)
        First guesses.
    step : float
        First spacing of the grid, in degrees; later ones follow the position error.
    iterations : int
    counts : ndarray, shape (n,), optional
        Counts with which the sources stand in the model of ``data`` already; each is taken
        out of it when its own position is fitted.

    Returns
    -------
    PositionFit

    Notes
    -----
    Near the maximum TS falls by ``d**2 / sigma**2`` at the distance ``d``; the curvature of
    the last quadratic gives sigma in both axes.
    """
    vectors = np.array(vectors, dtype=float)
    own = None if counts is None else (vectors.copy(), counts)
    steps = np.full(len(vectors), float(step))
    widths = np.full((len(vectors), 2), np.inf)
    inside = np.zeros(len(vectors), dtype=bool)
    for _ in range(iterations if len(vectors) else 0):
        basis = _bases(vectors)
        ts = _grid_ts(data, vectors, basis, steps, own)
        move, sigma = _climb(ts)
        widths = sigma * steps[:, None]
        inside = np.isfinite(sigma).all(axis=1) & (np.abs(move).max(axis=1) <= 1)
        vectors = _shift(vectors, basis, move * steps[:, None])
        steps = np.where(inside, np.clip(widths.mean(axis=1), step / 8, step), steps)
    return PositionFit(vectors, _R68 * np.sqrt(widths.prod(axis=1)), inside)


def _bases(vectors: np.ndarray) -> np.ndarray:
    lon = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0]))
    lat = np.degrees(np.arcsin(np.clip(vectors[:, 2], -1, 1)))
    return tangent_basis(lon, lat)


def _shift(vectors: np.ndarray, basis: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Move unit vectors by offsets (..., n, 2) in degrees east and north."""
    plane = np.radians(offset)
    moved = vectors + plane[..., :1] * basis[:, 0] + plane[..., 1:] * basis[:, 1]
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)


def _grid_ts(
    data: SkyData,
    vectors: np.ndarray,
    basis: np.ndarray,
    steps: np.ndarray,
    own: tuple[np.ndarray, np.ndarray] | None,
) -> np.ndarray:
    """TS on the 3 x 3 grid around each position, shape (n, 9)."""
    grid = _shift(vectors, basis, _OFFSETS[:, None] * steps[:, None]).transpose(1, 0, 2)
    without = own and (np.repeat(own[0], 9, axis=0), np.repeat(own[1], 9))
    return scan(data, grid.reshape(-1, 3), without=without).ts.reshape(-1, 9)


def _climb(ts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Move to the maximum of the quadratic through the grid, and 1 sigma along both axes.

    Where the quadratic has no maximum, move to the highest grid point; sigma is then infinite.
    """
    _, gx, gy, hxx, hyy, hxy = _SOLVER @ ts.T
    curvature = -np.stack([hxx, hxy, hxy, hyy], axis=-1).reshape(-1, 2, 2)
    eigenvalues = np.linalg.eigvalsh(curvature)
    peaked = eigenvalues[:, 0] > 1e-6 * np.maximum(eigenvalues[:, 1], 1e-300)
    move = _OFFSETS[ts.argmax(axis=1)]
    gradient = np.stack([gx, gy], axis=-1)[peaked]
    move[peaked] = np.linalg.solve(curvature[peaked], gradient[..., None])[..., 0]
    length = np.linalg.norm(move, axis=1, keepdims=True)
    move *= np.minimum(1, _LONGEST_MOVE / np.maximum(length, 1e-12))
    sigma = np.full((len(ts), 2), np.inf)
    sigma[peaked] = np.sqrt(2 / eigenvalues[peaked])
    return move, sigma
