"""Probability that counts in several bands deviate so much from their expectation."""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy.special import gammainc, gammaln, xlogy

from gammafind.utils.workers import in_threads

_STEP, _BINS = 0.05, 1024
"""Width and number of the bins of the deviance: probabilities are accurate to 3 %, down to the
rounding error."""
_MANY = 100.0
"""Expected counts from which the deviance of a band is that of a Gaussian."""
_SIGMAS, _MORE = 8.0, 25
"""Range of the counts around their expectation: beyond it, probabilities are below 1e-15."""
_LEAST = 1e-12
"""Probability below which that of a Gaussian is used: differences of sums are not accurate."""
_SMALLEST = 1e-9
"""Least expected counts of a band: keeps logarithms finite."""
_ROWS = 500
"""Places per step: limits memory."""


def deviation(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """PS of n places: minus the decimal logarithm of the deviation probability, with a sign.

    Parameters
    ----------
    counts, expected : ndarray, shape (n, n_bands)
        Observed and expected counts at each place.

    Returns
    -------
    ndarray, shape (n,)
        Positive where there are more counts than expected. The sign is that of the sum over bands
        of ``(counts - expected) / sqrt(max(expected, 1))``.

    Notes
    -----
    The deviance of a band is ``ln(P(most likely counts) / P(counts))`` for Poisson probabilities.
    The deviation probability is that of a sum over bands as large as observed or larger. The
    distribution of the sum is computed, not simulated: it is the convolution of those of the bands.

    References
    ----------
    Bruel 2021, A&A 656, A81 (doi:10.1051/0004-6361/202141553).
    """
    expected = np.maximum(expected, _SMALLEST)
    order = np.argsort(expected.sum(axis=1))
    parts = np.array_split(order, len(order) // _ROWS + 1)
    found = np.zeros(len(counts))
    work = in_threads(lambda rows: _logarithms(counts[rows], expected[rows]), parts)
    for rows, values in zip(parts, work, strict=True):
        found[rows] = values
    residual = (counts - expected) / np.sqrt(np.maximum(expected, 1))
    return np.where(residual.sum(axis=1) < 0, -found, found)


def _logarithms(counts: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Minus the decimal logarithm of the deviation probability, shape (n,)."""
    n_bands = counts.shape[1]
    many = expected > _MANY
    transform = _gaussian_transforms(n_bands)[many.sum(axis=1)]
    chi2 = np.where(many, (counts - expected) ** 2 / (2 * expected), 0).sum(axis=1)
    place = np.floor(chi2 / _STEP)
    deviance = chi2.copy()
    for band in range(n_bands):
        rows = np.flatnonzero(~many[:, band])
        if len(rows):
            own, mean = counts[rows, band], expected[rows, band]
            transform[rows] *= fft.rfft(_distribution(mean), axis=1)
            seen = _deviance(own, mean)
            deviance[rows] += seen
            place[rows] += np.rint(seen / _STEP)
    spread = fft.irfft(transform, _BINS, axis=1)
    above = np.cumsum(spread[:, ::-1], axis=1)[:, ::-1]
    inside = np.minimum(place, _BINS - 1).astype(int)
    probability = np.take_along_axis(above, inside[:, None], axis=1)[:, 0]
    usable = (place < _BINS) & (probability > _LEAST)
    exact = -np.log10(np.clip(probability, _LEAST, 1))
    far = np.maximum(_of_gaussians(deviance, n_bands), -np.log10(_LEAST))
    return np.where(usable, exact, far)


def _log_probability(counts: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Logarithm of the Poisson probability of some counts, up to the same term for all of them."""
    factorial = gammaln(np.arange(int(counts.max(initial=0)) + 1) + 1.0)
    return xlogy(counts, mean) - factorial[counts.astype(int)]


def _deviance(counts: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Logarithm of the probability of the most likely counts over that of given ones."""
    return _log_probability(np.floor(mean), mean) - _log_probability(counts, mean)


def _distribution(mean: np.ndarray) -> np.ndarray:
    """Distribution of the deviance of Poisson counts with some means, shape (n, n_bins)."""
    low = np.floor(np.maximum(mean - _SIGMAS * np.sqrt(mean), 0))
    width = int((mean + _SIGMAS * np.sqrt(mean) - low).max()) + _MORE
    counts, mean = low[:, None] + np.arange(width), mean[:, None]
    logarithm = _log_probability(counts, mean)
    highest = _log_probability(np.floor(mean), mean)
    probability = np.exp(logarithm - mean)
    place = np.rint((highest - logarithm) / _STEP).astype(int)
    row = np.arange(len(mean))[:, None] * _BINS
    inside = place < _BINS
    index = (row + np.where(inside, place, _BINS - 1)).ravel()
    spread = np.bincount(index, np.where(inside, probability, 0).ravel(), len(mean) * _BINS)
    return spread.reshape(len(mean), _BINS)


def _gaussian_transforms(n_bands: int) -> np.ndarray:
    """Transforms of the deviances of 0 to ``n_bands`` Gaussians, shape (n_bands + 1, k)."""
    edges = _STEP * np.arange(_BINS + 1)
    spreads = [np.eye(1, _BINS)[0]]
    spreads += [np.diff(gammainc(number / 2, edges)) for number in range(1, n_bands + 1)]
    return fft.rfft(np.array(spreads), axis=1)


def _of_gaussians(deviance: np.ndarray, n_bands: int) -> np.ndarray:
    """Minus the decimal logarithm of the probability of a large deviance of Gaussians."""
    large = np.maximum(deviance, 1.0)
    logarithm = (n_bands / 2 - 1) * np.log(large) - large - gammaln(n_bands / 2)
    return -logarithm / np.log(10)
