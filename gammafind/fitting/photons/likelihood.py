"""Poisson likelihood ratio of one more source, at many positions at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ITERATIONS = 30
"""Most Newton steps: far more than a fit needs."""
_TOLERANCE = 1e-4
"""Last relative step of an amplitude: far below its error."""


@dataclass(frozen=True, eq=False)
class AmplitudeFit:
    """Best-fit amplitude of a source at each of n positions, everything else fixed.

    Attributes
    ----------
    amplitude : ndarray, shape (n,)
        In units of the templates, not negative.
    ts : ndarray, shape (n,)
        2 ln of the likelihood ratio with and without the source.
    information : ndarray, shape (n,)
        Second derivative of -ln L with respect to the amplitude, at the best amplitude.
    """

    amplitude: np.ndarray
    ts: np.ndarray
    information: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """1 sigma error of the amplitude."""
        with np.errstate(divide="ignore"):
            return np.where(self.information > 0, self.information**-0.5, np.inf)


def fit_amplitudes(
    counts: np.ndarray,
    model: np.ndarray,
    template: np.ndarray,
    total: np.ndarray | None = None,
) -> AmplitudeFit:
    """Maximise the Poisson likelihood of ``counts`` for ``model + amplitude * template``.

    Parameters
    ----------
    counts : ndarray, shape (n, k)
        Observed counts in the pixels near each position, all bands in one row.
    model : ndarray, shape (n, k)
        Expected counts there without the source, positive.
    template : ndarray, shape (n, k)
        Expected counts of the source at amplitude one; zero in pixels without data.
    total : ndarray, shape (n,), optional
        Sum of the expected counts in all pixels, where those without photons are left out; by
        default that of ``template``.

    Returns
    -------
    AmplitudeFit

    Notes
    -----
    The log-likelihood is concave in the amplitude, so Newton's method, limited to positive values,
    finds its maximum. It starts at the excess counts, or at the first step from zero if that is
    larger, so that sources on almost no background also converge.

    References
    ----------
    Cash 1979, ApJ 228, 939 (doi:10.1086/156922); Mattox et al. 1996, ApJ 461, 396
    (doi:10.1086/177068).
    """
    ratio = template / model
    total = template.sum(axis=1) if total is None else total
    first = np.einsum("nk,nk->n", counts, ratio) - total
    amplitude = np.zeros(len(total))
    active = np.flatnonzero(first > 0)
    if active.size:
        excess = np.where(template[active] > 0, counts[active] - model[active], 0).sum(axis=1)
        second = np.einsum("nk,nk->n", counts[active], ratio[active] ** 2)
        step = np.divide(first[active], second, out=np.zeros_like(second), where=second > 0)
        start = np.maximum(step, excess / np.maximum(total[active], 1e-300))
        amplitude[active] = _newton(counts[active], ratio[active], total[active], start)
    growth = 1 + amplitude[:, None] * ratio
    ts = 2 * (np.einsum("nk,nk->n", counts, np.log(growth)) - amplitude * total)
    information = np.einsum("nk,nk->n", counts, (ratio / growth) ** 2)
    return AmplitudeFit(amplitude, np.maximum(ts, 0), information)


def _newton(
    counts: np.ndarray, ratio: np.ndarray, total: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Root of the slope of the log-likelihood, which decreases with the amplitude.

    Converged rows are dropped as soon as they are the majority.
    """
    amplitude = start.copy()
    rows = np.arange(len(start))
    for _ in range(_ITERATIONS):
        now = amplitude[rows]
        weight = ratio / (1 + now[:, None] * ratio)
        weighted = counts * weight
        slope = weighted.sum(axis=1) - total
        curvature = np.einsum("nk,nk->n", weighted, weight)
        step = slope / np.where(curvature > 0, curvature, 1)
        updated = np.maximum(now + step, now / 10)
        amplitude[rows] = updated
        moving = np.abs(updated - now) > _TOLERANCE * updated + 1e-12
        if not moving.any():
            break
        if 2 * np.count_nonzero(moving) < len(rows):
            rows, counts, ratio, total = (each[moving] for each in (rows, counts, ratio, total))
    return amplitude
