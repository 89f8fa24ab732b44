"""Joint fit of the amplitudes of many overlapping sources and of the background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg, splu

from gammafind.utils.workers import in_threads

_ITERATIONS = 25
"""Most Newton steps: far more than a fit needs."""
_TOLERANCE = 1e-3
"""Last relative step of an amplitude: far below its error."""
_HOLDS = 10
"""Rounds of fixing negative amplitudes at zero in a step: limits time."""
_SLOW = 0.5
"""Share of the previous gain below which the information is computed again: balances steps and
their cost."""
_SMALLEST_SHARE = 1e-3
"""Smallest tried share of a step."""
_RIDGE = 1e-9
"""Relative addition to the diagonal: keeps equal or empty templates solvable."""
_MANY, _CG_TOLERANCE, _CG_STEPS = 2000, 1e-4, 200
"""Amplitudes from which conjugate gradients are used, their tolerance and most steps: balance speed
and memory. Any number of steps raises the likelihood."""
_OVERLAP = 0.01
"""Overlap of two templates below which it is left out of the steps: balances their number and
cost."""
_FREE, _CHUNK = 24, 2000
"""Amplitudes that are free for one error, and rows per step: balance accuracy, time and memory."""


@dataclass(frozen=True, eq=False)
class JointFit:
    """Amplitudes at the maximum of the likelihood.

    Attributes
    ----------
    amplitude : ndarray, shape (n,)
    templates : sparse array, shape (n_pixels, n)
    model : ndarray, shape (n_pixels,)
        Expected counts.
    """

    amplitude: np.ndarray
    templates: sparse.csr_array
    model: np.ndarray

    @cached_property
    def information(self) -> sparse.csc_array:
        """Fisher information of the amplitudes, sparse, shape (n, n)."""
        return _information(self.templates.T.tocsr(), self.templates, self.model)

    @property
    def own_information(self) -> np.ndarray:
        """Fisher information of each amplitude with all others fixed, shape (n,)."""
        return self.templates.power(2).T @ (1 / self.model)

    def errors(self) -> np.ndarray:
        """1 sigma error of each amplitude, shape (n,); the most overlapping ones are free.

        All others are fixed. With two dozen free amplitudes this changes errors by less than 1 %.
        """
        diagonal = self.information.diagonal()
        scaled = sparse.diags_array(diagonal**-0.5)
        overlap = (scaled @ self.information @ scaled).tocsr()
        overlap.sort_indices()
        variance = np.empty(len(diagonal))
        for start in range(0, len(diagonal), _CHUNK):
            part = np.arange(start, min(start + _CHUNK, len(diagonal)))
            variance[part] = np.linalg.inv(_blocks(overlap, part))[:, 0, 0]
        return np.sqrt(np.maximum(variance, 0) / diagonal)


def fit_jointly(
    counts: np.ndarray,
    fixed: np.ndarray,
    templates: sparse.csr_array | sparse.csc_array,
    start: np.ndarray,
    *,
    tolerance: float = _TOLERANCE,
    least_gain: float = 0.0,
) -> JointFit:
    """Maximise the Poisson likelihood of ``counts`` over the amplitudes of all templates.

    Parameters
    ----------
    counts : ndarray, shape (n_pixels,)
    fixed : ndarray, shape (n_pixels,)
        Expected counts that are not fitted, positive.
    templates : sparse array, shape (n_pixels, n)
        Expected counts of each template at amplitude one.
    start : ndarray, shape (n,)
        First guess.
    tolerance : float
        The fit stops when all steps are smaller than this share of the amplitude plus one.
    least_gain : float
        It also stops when the expected gain of a step in the total log-likelihood is smaller than
        this: two similar templates may exchange counts for many steps.

    Returns
    -------
    JointFit

    Notes
    -----
    Newton's method with the expected (Fisher) information, which is reused for the next step as
    long as each step gains less than half of the gain of the previous one. Each step goes to the
    maximum of the quadratic approximation with no negative amplitude, or part of the way if the
    full step would lower the likelihood.
    """
    amplitude = np.maximum(np.asarray(start, dtype=float), 0)
    total = np.asarray(templates.sum(axis=0)).ravel()
    by_template, templates = templates.T.tocsr(), templates.tocsr()
    model = fixed + templates @ amplitude
    before, outdated = 0.0, True
    for _ in range(_ITERATIONS):
        if outdated:
            information = _simpler(_information(by_template, templates, model))
        slope = by_template @ (counts / model) - total
        step = _bounded_step(amplitude, slope, information)
        gain = slope @ step
        share = _share(counts, templates @ step / model, total @ step)
        amplitude = amplitude + share * step
        model = fixed + templates @ amplitude
        small = np.all(np.abs(share * step) < tolerance * (amplitude + 1))
        if gain < least_gain or small:
            break
        before, outdated = gain, share < 1 or gain > _SLOW * before
    return JointFit(amplitude, templates, model)


def _bounded_step(
    amplitude: np.ndarray, slope: np.ndarray, information: sparse.csc_array
) -> np.ndarray:
    """Newton step; amplitudes that would become negative are set to zero and fixed there."""
    free = (amplitude > 0) | (slope > 0)
    for _ in range(_HOLDS):
        chosen = sparse.diags_array(free.astype(float))
        held = np.where(free, 0, -amplitude)
        matrix = chosen @ information @ chosen + sparse.diags_array((~free).astype(float))
        right = np.where(free, slope - information @ held, 0)
        step = _solved(matrix, right) + held
        negative = free & (amplitude + step < 0)
        if not negative.any():
            break
        free &= ~negative
    return np.maximum(step, -amplitude)


def _blocks(overlap: sparse.csr_array, rows: np.ndarray) -> np.ndarray:
    """Overlaps of each of ``rows``, first, and the templates that overlap most with it.

    Shape (len(rows), k, k); missing rows are those of a unit matrix.
    """
    chosen = np.full((len(rows), _FREE), -1)
    for place, row in enumerate(rows):
        span = slice(overlap.indptr[row], overlap.indptr[row + 1])
        others, weight = overlap.indices[span], np.abs(overlap.data[span])
        weight = np.where(others == row, np.inf, weight)
        most = np.argsort(-weight)[:_FREE]
        chosen[place, : len(most)] = others[most]
    first, second = np.broadcast_arrays(chosen[:, :, None], chosen[:, None])
    known = (first >= 0) & (second >= 0)
    blocks = np.broadcast_to(np.eye(chosen.shape[1]), first.shape).copy()
    blocks[known] = overlap[first[known], second[known]]
    return blocks


def _solved(matrix: sparse.sparray, right: np.ndarray) -> np.ndarray:
    """Solution of positive definite equations; by conjugate gradients if they are many."""
    if len(right) > _MANY:
        scale = matrix.diagonal() ** -0.5
        scaled = (sparse.diags_array(scale) @ matrix @ sparse.diags_array(scale)).tocsr()
        found, _ = cg(scaled, right * scale, rtol=_CG_TOLERANCE, maxiter=_CG_STEPS)
        return found * scale
    return splu(matrix.tocsc()).solve(right)


def _simpler(information: sparse.csc_array) -> sparse.csc_array:
    """Information that is sparse enough for steps, if there are many amplitudes.

    Small overlaps are moved to the diagonal. So no step is longer than with all of them, and the
    maximum is the same.
    """
    if information.shape[0] <= _MANY:
        return information
    scale = information.diagonal() ** 0.5
    column = np.repeat(np.arange(len(scale)), np.diff(information.indptr))
    overlap = information.data / (scale[information.indices] * scale[column])
    small = overlap < _OVERLAP
    moved = np.bincount(column[small], overlap[small], minlength=len(scale)) * scale**2
    kept = ~small
    start = np.concatenate([[0], np.cumsum(np.bincount(column[kept], minlength=len(scale)))])
    large = sparse.csc_array(
        (information.data[kept], information.indices[kept], start), shape=information.shape
    )
    return (large + sparse.diags_array(moved)).tocsc()


def _share(counts: np.ndarray, growth: np.ndarray, expected: float) -> float:
    """Share of a step (1, 1/2, 1/4, ...) that raises the likelihood.

    Parameters
    ----------
    counts : ndarray, shape (n_pixels,)
    growth : ndarray, shape (n_pixels,)
        Relative change of the model by the full step.
    expected : float
        Sum of that change.
    """
    filled = counts > 0
    counts, growth = counts[filled], growth[filled]
    share = 1.0
    while share > _SMALLEST_SHARE and counts @ np.log1p(share * growth) < share * expected:
        share /= 2
    return share


def _information(
    by_template: sparse.csr_array, templates: sparse.csr_array, model: np.ndarray
) -> sparse.csc_array:
    """Fisher information with a small ridge, because templates may be equal or empty."""
    weights = np.repeat(1 / model, np.diff(templates.indptr))
    weighted = sparse.csr_array(
        (templates.data * weights, templates.indices, templates.indptr), shape=templates.shape
    )
    rows = np.array_split(np.arange(by_template.shape[0]), by_template.shape[0] // _CHUNK + 1)
    parts = in_threads(lambda some: by_template[some] @ weighted, rows)
    information = sparse.vstack(list(parts), format="csr")
    diagonal = information.diagonal()
    largest = diagonal.max(initial=0)
    ridge = _RIDGE * np.where(diagonal > 0, diagonal, largest if largest > 0 else 1)
    return (information + sparse.diags_array(ridge)).tocsc()
