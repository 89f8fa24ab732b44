"""Amplitudes of many overlapping sources and of the background, fitted together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

__all__ = ["JointFit", "fit_jointly"]

_ITERATIONS = 25
_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class JointFit:
    """Amplitudes at the maximum of the likelihood.

    Attributes
    ----------
    amplitude : ndarray, shape (n,)
    information : sparse array, shape (n, n)
        Fisher information of the amplitudes.
    """

    amplitude: np.ndarray
    information: sparse.csc_array

    def errors(self) -> np.ndarray:
        """1 sigma error of each amplitude, with all others free, shape (n,)."""
        n = self.information.shape[0]
        solver = splu(self.information)
        variance = np.empty(n)
        for part in np.array_split(np.arange(n), n // 256 + 1):
            unit = np.zeros((n, len(part)))
            unit[part, np.arange(len(part))] = 1
            variance[part] = solver.solve(unit)[part, np.arange(len(part))]
        return np.sqrt(np.maximum(variance, 0))


def fit_jointly(
    counts: np.ndarray,
    fixed: np.ndarray,
    templates: sparse.csr_array,
    start: np.ndarray,
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

    Returns
    -------
    JointFit

    Notes
    -----
    Newton's method with the expected (Fisher) information; amplitudes are kept from falling
    below a thousandth of their last value in one step, so that they stay positive.
    """
    amplitude = np.maximum(np.asarray(start, dtype=float), 1e-6)
    total = np.asarray(templates.sum(axis=0)).ravel()
    by_template = templates.T.tocsr()
    for _ in range(_ITERATIONS):
        model = fixed + templates @ amplitude
        slope = by_template @ (counts / model) - total
        information = _information(by_template, templates, model)
        step = splu(information).solve(slope)
        updated = np.maximum(amplitude + step, 0.2 * amplitude)
        change = np.abs(updated - amplitude) / (_TOLERANCE * amplitude + 1e-3)
        amplitude = updated
        if np.all(change < 1):
            break
    information = _information(by_template, templates, fixed + templates @ amplitude)
    return JointFit(amplitude, information)


def _information(
    by_template: sparse.csr_array, templates: sparse.csr_array, model: np.ndarray
) -> sparse.csc_array:
    weighted = sparse.diags_array(1 / model) @ templates
    information = by_template @ weighted
    ridge = 1e-9 * information.diagonal().mean() if information.shape[0] else 0.0
    return (information + ridge * sparse.eye_array(information.shape[0])).tocsc()
