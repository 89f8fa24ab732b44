"""Poisson likelihood of several templates together, at many positions at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_ITERATIONS = 12
"""Most Newton steps: limits time; nearly all positions converge earlier."""
_TOLERANCE = 0.02
"""Change of twice the log-likelihood below which a position has converged."""
_LONGEST = 0.8
"""Share by which a step may lower the expected counts of a pixel: keeps them positive."""
_RIDGE = 1e-9
"""Addition to the diagonal: keeps equal or empty templates solvable."""


def fit_mixture(
    counts: np.ndarray,
    model: np.ndarray,
    templates: Sequence[np.ndarray],
    start: np.ndarray,
    spread: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Maximise the likelihood of ``model + sum of amplitudes * templates``.

    Parameters
    ----------
    counts, model : ndarray, shape (n, k)
        Observed and expected counts in the pixels near each position; the expected counts are
        positive.
    templates : sequence of ndarray, shape (n, k)
        Templates at amplitude one.
    start : ndarray, shape (n, n_templates)
        Start values of the amplitudes; with them all expected counts must be positive.
    spread : ndarray, shape (n_templates,)
        Standard deviation of a Gaussian prior of each amplitude around 0; infinite for no prior.

    Returns
    -------
    gain : ndarray, shape (n,)
        2 ln of the ratio of the posterior to that of zero amplitudes.
    amplitude : ndarray, shape (n, n_templates)
        They may be negative as long as the expected counts are positive.

    Notes
    -----
    The logarithm of the posterior is concave, so Newton's method, with steps that keep the expected
    counts positive, finds its maximum. Converged positions are dropped as soon as they are the
    majority.
    """
    stack = np.stack(templates)
    precision = np.where(np.isinf(spread), 0, 1 / np.square(spread))
    amplitude = np.array(start, dtype=float)
    rows = np.arange(len(counts))
    seen, fixed, own = counts, model, stack
    for _ in range(_ITERATIONS):
        now = amplitude[rows]
        expected = fixed + _mixed(now, own)
        step, decrement = _newton_step(seen, expected, own, now, precision)
        change = _mixed(step, own)
        fall = -np.min(np.divide(change, expected, out=change), axis=1)
        amplitude[rows] += step * np.minimum(1, _LONGEST / np.maximum(fall, 1e-12))[:, None]
        moving = (decrement > _TOLERANCE) | (fall > _LONGEST)
        if not moving.any():
            break
        if 2 * np.count_nonzero(moving) < len(rows):
            rows, seen, fixed, own = rows[moving], seen[moving], fixed[moving], own[:, moving]
    added = _mixed(amplitude, stack)
    expected = added.sum(axis=1)
    growth = np.log1p(np.divide(added, model, out=added), out=added)
    gain = np.einsum("nk,nk->n", counts, growth) - expected
    return 2 * gain - np.square(amplitude) @ precision, amplitude


def _newton_step(
    counts: np.ndarray,
    expected: np.ndarray,
    templates: np.ndarray,
    amplitude: np.ndarray,
    precision: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Step of all amplitudes, shape (n, p), and its gain in twice the log-posterior, (n,)."""
    ratio = counts / expected
    excess = ratio - 1
    slope = np.stack([np.einsum("nk,nk->n", one, excess) for one in templates], axis=1)
    slope -= amplitude * precision
    ratio /= expected
    p = len(templates)
    information = np.empty((len(counts), p, p))
    for i in range(p):
        weighted = templates[i] * ratio
        for j in range(i, p):
            element = np.einsum("nk,nk->n", weighted, templates[j])
            information[:, i, j] = information[:, j, i] = element
    information += np.diag(precision + _RIDGE)
    step = _solved(information, slope)
    return step, np.einsum("np,np->n", step, slope)


def _solved(matrices: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions of n small positive definite equations, shape (n, p).

    By elimination of all at once: a library would start threads for each.
    """
    left, found = matrices.copy(), right.copy()
    p = right.shape[1]
    for i in range(p):
        for j in range(i + 1, p):
            share = left[:, j, i] / left[:, i, i]
            left[:, j, i:] -= share[:, None] * left[:, i, i:]
            found[:, j] -= share * found[:, i]
    for i in reversed(range(p)):
        found[:, i] -= np.einsum("nj,nj->n", left[:, i, i + 1 :], found[:, i + 1 :])
        found[:, i] /= left[:, i, i]
    return found


def _mixed(amplitude: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Sum of templates (p, n, k) times amplitudes (n, p); a matrix product would start threads."""
    total = amplitude[:, 0, None] * templates[0]
    for i in range(1, len(templates)):
        total += amplitude[:, i, None] * templates[i]
    return total
