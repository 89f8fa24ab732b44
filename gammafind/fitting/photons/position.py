"""Positions at the maximum of the likelihood ratio, and their errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.fitting.photons.data import SkyData, source_sizes
from gammafind.fitting.photons.scan import CORE, scan
from gammafind.sky.projection import local_bases


def _square(reach: int) -> np.ndarray:
    """Offsets (n, 2) of the points of a square grid within ``reach`` steps on both axes."""
    steps = range(-reach, reach + 1)
    return np.array([(i, j) for j in steps for i in steps], dtype=float)


_NEIGHBOURS = _square(1)
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
_GRID = 1.35 * _square(2)
"""Offsets in units of sigma: dense and wide enough for the moments of a Gaussian."""
_SPREADS = (0.5, 2.0)
"""Range of the change of sigma per round: keeps the next grid useful."""
_SETTLED, _MORE = (0.6, 1.6), 6
"""Change of sigma in the last round after which a fit ends, and most additional rounds."""
_WIDEST = 0.5
"""Sigma, in sizes of a source, beyond which a fit does not grow further: a flat posterior fills its
pixel then."""
LOWER = 4.0
"""Loss of TS at the mean position from which the highest position is used instead: the posterior
is bent, as in the corner of a wide pixel."""
_NARROWEST = 0.005
"""Sigma, in sizes of a source, below which a fit does not narrow further: errors of the PSF are as
large."""
_OF_PIXEL = 0.05
"""Systematic error of positions along one axis, in pixels, where these are as wide as the PSF: the
place within a pixel follows from how few counts are next to it, and so from the exact PSF and
spectrum. It balances r68 and r95 at b > 0 on the demo's sky (benchmarks/positions.py)."""
_FINE_GRID = 0.7 * _square(4)
"""Offsets in units of sigma: dense enough for posteriors that are not Gaussians."""
_FEW, _WIDE_GRID = 50.0, 0.7 * _square(7)
"""Counts below which the wings of a posterior matter, and offsets in units of sigma that hold them:
both balance the radii of few photons and time (benchmarks/lat_files.py has the radii)."""
R68_PER_SIGMA = float(np.sqrt(-2 * np.log(1 - 0.6827)))
"""Radius that contains 68 % of a circular Gaussian, in units of sigma along one axis."""


@dataclass(frozen=True, eq=False)
class PositionFit:
    """Positions with their errors.

    Attributes
    ----------
    vectors : ndarray, shape (n, 3)
        Mean positions, or the most likely ones where the mean is not likely.
    spread : ndarray, shape (n, 2, 2)
        Square root of the covariance in degrees, east and north.
    """

    vectors: np.ndarray
    spread: np.ndarray

    @property
    def sigma(self) -> np.ndarray:
        """1 sigma along one axis in degrees, the mean of both, shape (n,)."""
        return _sigma(self.spread)

    @property
    def r68(self) -> np.ndarray:
        """Radius in degrees with 68 % probability, for circular Gaussian errors."""
        return R68_PER_SIGMA * self.sigma


def climb(
    data: SkyData,
    vectors: np.ndarray,
    *,
    step: float | np.ndarray,
    iterations: int = 3,
    without: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Move positions to the maximum of TS near them, by quadratic fits on 3 x 3 grids.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, 3)
        First guesses.
    step : float or ndarray, shape (n,)
        Spacing of the first grid in degrees; it is halved each time the maximum is inside the grid.
    iterations : int
    without : tuple of ndarray, shapes (n, 3) and (n, n_bands), optional
        Positions and counts of sources to remove from the model, one for each position.

    Returns
    -------
    ndarray, shape (n, 3)
        The end of the moves, or the highest position on the way if TS is lower at the end, as it
        may be where pixels are wider than the PSF.
    """
    if not len(vectors):
        return vectors
    steps = np.full(len(vectors), step, dtype=float)
    best, highest = vectors.copy(), np.full(len(vectors), -np.inf)
    for _ in range(iterations):
        basis = local_bases(vectors)
        ts = _grid_ts(data, vectors, basis, _NEIGHBOURS, steps[:, None, None] * np.eye(2), without)
        top = ts.max(axis=1)
        better = top > highest
        there = shifted(vectors, basis, _NEIGHBOURS[ts.argmax(axis=1)] * steps[:, None])
        best[better], highest[better] = there[better], top[better]
        move = _quadratic_move(ts)
        vectors = shifted(vectors, basis, move * steps[:, None])
        steps = np.where(np.abs(move).max(axis=1) < 1, steps / 2, steps)
    lower = scan(data, vectors, without=without, containment=CORE).ts < highest
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
    own = (vectors, counts)

    def ts_at(places: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return scan(data, places, without=_of(own, rows), containment=CORE).ts

    return mean_positions(ts_at, vectors, scale, source_sizes(data, vectors), rounds=rounds)


def mean_positions(
    ts_at: Callable[[np.ndarray, np.ndarray], np.ndarray],
    vectors: np.ndarray,
    scale: np.ndarray,
    sizes: np.ndarray,
    *,
    rounds: int = 2,
) -> PositionFit:
    """Mean and spread of positions from a function that returns TS; see `fit_positions`.

    Parameters
    ----------
    ts_at : callable
        Takes unit vectors (n, m, 3) near some sources and the rows of these, (n,), and returns TS,
        (n, m).
    vectors : ndarray, shape (n_sources, 3)
    scale, sizes : ndarray, shape (n_sources,)
        Expected 1 sigma position errors, and sizes of the sources, in degrees.
    rounds : int

    Returns
    -------
    PositionFit
    """
    spread = np.asarray(scale, dtype=float)[:, None, None] * np.eye(2)
    if not len(vectors):
        return PositionFit(vectors, spread)
    places, best, highest = vectors.copy(), vectors.copy(), np.zeros(len(vectors))
    rows = np.arange(len(vectors))
    for turn in range(rounds + _MORE):
        basis = local_bases(places[rows])
        ts = ts_at(_spread_out(places[rows], basis, _GRID, spread[rows]), rows)
        mean, change = _moments(ts)
        top = _offsets(spread[rows], _GRID)[ts.argmax(axis=1), np.arange(len(rows))]
        best[rows], highest[rows] = shifted(places[rows], basis, top), ts.max(axis=1)
        places[rows] = shifted(places[rows], basis, np.einsum("nij,nj->ni", spread[rows], mean))
        values, axes = np.linalg.eigh(change)
        sigma = np.sqrt(np.maximum(values, 0))
        clipped = np.einsum("nij,nj,nkj->nik", axes, np.clip(sigma, *_SPREADS), axes)
        spread[rows] = spread[rows] @ clipped
        if turn >= rounds - 1:
            low, high = _SETTLED
            now = _sigma(spread[rows]) / sizes[rows]
            narrower = np.any(sigma < low, axis=1) & (now > _NARROWEST)
            wider = np.any(sigma > high, axis=1) & (now < _WIDEST)
            rows = rows[narrower | wider]
            if not len(rows):
                break
    lower = ts_at(places[:, None], np.arange(len(vectors)))[:, 0] < highest - LOWER
    return PositionFit(np.where(lower[:, None], best, places), spread)


def position_errors(
    data: SkyData,
    vectors: np.ndarray,
    counts: np.ndarray,
    sigma: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Radii around positions with 68 % and 95 % of the posterior, in degrees, both (n,).

    Parameters
    ----------
    data : SkyData
        Its model includes the sources.
    vectors : ndarray, shape (n, 3)
        Positions of the sources in the model.
    counts : ndarray, shape (n, n_bands)
    sigma : ndarray, shape (n,)
        The 1 sigma errors of `fit_positions` in degrees.

    Notes
    -----
    If pixels are narrow and photons are many, the radii are those of a Gaussian. Few photons leave
    wings, as those of the PSF: the radii are those of the shares of the posterior. So they are
    where pixels are as wide as the PSF, and the posterior may be as flat and as square as a pixel;
    there a systematic error of 5 % of a pixel is added in quadrature.
    """
    r68 = R68_PER_SIGMA * sigma
    r95 = R95_OVER_R68 * r68
    coarse = is_coarse(data)
    rows = np.flatnonzero(coarse | (counts.sum(axis=1) < _FEW))
    if not len(rows):
        return r68, r95
    some = vectors[rows], counts[rows], sigma[rows]
    r68[rows], r95[rows] = _shares(data, *some, _FINE_GRID if coarse else _WIDE_GRID)
    floor = R68_PER_SIGMA * _OF_PIXEL * _sharpest(data)[1] if coarse else 0.0
    return np.hypot(r68, floor), np.hypot(r95, R95_OVER_R68 * floor)


def _shares(
    data: SkyData, vectors: np.ndarray, counts: np.ndarray, sigma: np.ndarray, steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Radii in degrees with 68 % and 95 % of the posterior at some steps in units of sigma."""
    fit = fit_positions(data, vectors, counts, sigma, rounds=1)
    basis = local_bases(fit.vectors)
    grid = shifted(fit.vectors, basis, _offsets(fit.spread, steps))
    ts = scan(data, grid.transpose(1, 0, 2), without=(vectors, counts), containment=CORE).ts
    weight = _weights(ts)
    distance = np.degrees(np.linalg.norm(grid - vectors, axis=-1)).T
    return _quantile(distance, weight, 0.68), _quantile(distance, weight, 0.95)


def is_coarse(data: SkyData) -> bool:
    """Whether pixels are as wide as the PSF in the band with the sharpest PSF."""
    r68, pixel = _sharpest(data)
    return pixel > r68


def _sharpest(data: SkyData) -> tuple[float, float]:
    """r68 of the sharpest PSF, and the size of the pixels of its band, in degrees."""
    pairs = ((b.psf.containment_radius(0.68).to_value("deg"), b.resolution) for b in data.bands)
    return min(pairs, key=lambda pair: pair[0])


def _weights(ts: np.ndarray) -> np.ndarray:
    """Posterior at the points of each grid, with a sum of one."""
    highest = ts.max(axis=1, keepdims=True)
    weight = np.exp((ts - highest) / 2)
    return weight / weight.sum(axis=1, keepdims=True)


def _quantile(distance: np.ndarray, weight: np.ndarray, share: float) -> np.ndarray:
    """Distance within which there is a share of the weight, for each row."""
    order = np.argsort(distance, axis=1)
    distance, weight = (np.take_along_axis(each, order, axis=1) for each in (distance, weight))
    below = np.cumsum(weight, axis=1) - weight / 2
    below /= weight.sum(axis=1, keepdims=True)
    rows = zip(below, distance, strict=True)
    return np.array([np.interp(share, *row) for row in rows])


def _sigma(spread: np.ndarray) -> np.ndarray:
    """1 sigma along one axis, the mean of both, shape (n,)."""
    return np.sqrt((spread**2).sum(axis=(1, 2)) / 2)


def _of(own: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return own[0][rows], own[1][rows]


def _offsets(spread: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Offsets in degrees of the points of a grid, shape (m, n, 2)."""
    return np.einsum("nij,mj->mni", spread, grid)


def shifted(vectors: np.ndarray, basis: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Move unit vectors by offsets (..., n, 2) in degrees east and north."""
    plane = np.radians(offset)
    moved = vectors + plane[..., :1] * basis[:, 0] + plane[..., 1:] * basis[:, 1]
    return moved / np.linalg.norm(moved, axis=-1, keepdims=True)


def _grid_ts(
    data: SkyData,
    vectors: np.ndarray,
    basis: np.ndarray,
    grid: np.ndarray,
    spread: np.ndarray,
    own: tuple[np.ndarray, np.ndarray] | None,
) -> np.ndarray:
    """TS at the points of a grid, shape (m, 2), in units of ``spread`` from each position.

    Shape (n, m).
    """
    return scan(data, _spread_out(vectors, basis, grid, spread), without=own, containment=CORE).ts


def _spread_out(
    vectors: np.ndarray, basis: np.ndarray, grid: np.ndarray, spread: np.ndarray
) -> np.ndarray:
    """Points of a grid, shape (m, 2), in units of ``spread`` from each position, (n, m, 3)."""
    return shifted(vectors, basis, _offsets(spread, grid)).transpose(1, 0, 2)


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
    """Mean, shape (n, 2), and covariance, shape (n, 2, 2), of the posterior in grid units."""
    weight = _weights(ts)
    mean = weight @ _GRID
    square = np.einsum("nm,mi,mj->nij", weight, _GRID, _GRID)
    return mean, square - mean[:, :, None] * mean[:, None, :]
