"""How much the fluxes of epochs vary, and when a source is brightest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

SYSTEMATIC = 0.02
"""Relative systematic error of the flux of an epoch, as in 4FGL: the effective area."""
_VARIABLE = 0.99
"""Probability that a steady source has a smaller index, above which its peak is given: as 4FGL."""
_UNKNOWN = 10.0
"""Error of a fractional variability that was not found, as in 4FGL."""


class Peak(NamedTuple):
    """The brightest epoch of each of n sources, with NaN and -1 for those that may be steady.

    Attributes
    ----------
    epoch : ndarray of int, shape (n,)
    flux, error, significance : ndarray, shape (n,)
    """

    epoch: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    significance: np.ndarray


def symmetric_errors(errors: np.ndarray) -> np.ndarray:
    """One error for each flux, from those to both sides.

    Parameters
    ----------
    errors : ndarray, shape (..., 2)
        Those to lower and to higher fluxes; the lower ones may be negative, or NaN.

    Returns
    -------
    ndarray, shape (...)
        Their mean; that to higher fluxes where there is no other.
    """
    low, high = np.abs(errors[..., 0]), errors[..., 1]
    return np.where(np.isnan(low), high, (low + high) / 2)


def fractional_variability(
    flux: np.ndarray, error: np.ndarray, *, systematic: np.ndarray | float = SYSTEMATIC
) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation between epochs beyond that of the noise, relative to the mean flux.

    Parameters
    ----------
    flux, error : ndarray, shape (n, n_epochs)
        NaN in epochs without exposure.
    systematic : float or ndarray, shape (n_epochs,)
        Relative systematic error.

    Returns
    -------
    fractional, error : ndarray, shape (n,)
        0 with an error of 10 where fluxes vary by less than their noise; NaN for less than two
        epochs, or without flux.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, eq. 5 (arXiv:1902.10045); Vaughan et al. 2003, MNRAS 345,
    1271 (doi:10.1046/j.1365-2966.2003.07042.x).
    """
    known = np.isfinite(flux) & np.isfinite(error)
    number = known.sum(axis=1)
    enough = number > 1
    divisor = np.maximum(number, 2)
    mean = np.where(known, flux, 0).sum(axis=1) / divisor
    usable = enough & (mean > 0)
    mean = np.where(usable, mean, 1.0)
    spread = np.where(known, flux - mean[:, None], 0)
    variance = (spread**2).sum(axis=1) / (divisor - 1) / mean**2
    noise = (np.where(known, error, 0) ** 2).sum(axis=1) / divisor / mean**2
    relative = np.broadcast_to(systematic, known.shape[1:])
    noise += (known * relative**2).sum(axis=1) / divisor
    excess = np.sqrt(np.maximum(variance - noise, 0))
    uncertain = np.full(len(excess), _UNKNOWN)
    np.divide(variance, excess * np.sqrt(2 * (divisor - 1)), out=uncertain, where=excess > 0)
    return (
        np.where(usable, excess, np.nan),
        np.where(usable, np.minimum(uncertain, _UNKNOWN), np.nan),
    )


def is_variable(index: np.ndarray, n_epochs: np.ndarray | int) -> np.ndarray:
    """Whether a steady source has such an index with less than 1 %; chi-square, n - 1."""
    degrees = np.maximum(np.asarray(n_epochs) - 1, 1)
    return np.nan_to_num(index, nan=-1.0) > chi2.ppf(_VARIABLE, degrees)


def peaks(
    flux: np.ndarray, error: np.ndarray, significance: np.ndarray, variable: np.ndarray
) -> Peak:
    """Brightest epoch of each variable source.

    Parameters
    ----------
    flux, error, significance : ndarray, shape (n, n_epochs)
        NaN in epochs without exposure.
    variable : ndarray of bool, shape (n,)
    """
    shown = variable & np.isfinite(flux).any(axis=1)
    epoch = np.where(shown, np.argmax(np.nan_to_num(flux, nan=-np.inf), axis=1), -1)
    rows = np.arange(len(flux))

    def at(values: np.ndarray) -> np.ndarray:
        return np.where(shown, values[rows, epoch], np.nan)

    return Peak(epoch, at(flux), at(error), at(significance))
