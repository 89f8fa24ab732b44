"""Width of the PSF across an image, from its own stars."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter, uniform_filter
from scipy.optimize import least_squares

from gammafind.sky.field_psf import N_TERMS, polynomial_terms

_HALF = 10
"""Half side of a stamp in pixels: holds the widest accepted PSF."""
_LEAST_PEAK = 30.0
"""Peak over the noise of a pixel: balances the number of stars and their accuracy."""
_MOST_STARS = 300
"""Stars that are fitted: enough for the median and the field, and limits time."""
_NEIGHBOURS = 0.05
"""Height of a second peak, relative to the star, that excludes it: balances purity and number."""
_LEAST_FOR_FIELD = 40
"""Stars needed to fit six coefficients of a field reliably."""
_CORE = slice(_HALF - 2, _HALF + 3), slice(_HALF - 2, _HALF + 3)
"""The central 5 x 5 pixels of a stamp."""
_CORE_ERROR = 0.05
"""Systematic error of a Moffat profile in the core of a star, relative to its peak."""
_WORST, _WORST_CORE = 5.0, 2.0
"""Largest mean square of the residuals in the stamp and in its core: excludes galaxies and cosmic
rays."""


def star_widths(
    excess: np.ndarray,
    noise: np.ndarray,
    usable: np.ndarray,
    *,
    beta: float,
    guess: float,
    full: float = np.inf,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Full widths at half maximum of bright, unsaturated, isolated stars.

    A round Moffat profile of fixed exponent is fitted to 21 x 21 pixels of each. Peaks whose core
    is not round, such as cosmic rays, and stars with neighbours fit badly and are excluded.

    Parameters
    ----------
    excess : ndarray, shape (ny, nx)
        Image without its sky.
    noise : ndarray, shape (ny, nx)
    usable : ndarray of bool, shape (ny, nx)
    beta : float
    guess : float
        Pixels.
    full : float
        Value from which a pixel is saturated.

    Returns
    -------
    x, y, fwhm : ndarray, shape (n,)
        In pixels.
    """
    rows, columns = _bright_peaks(excess, noise, usable, full)
    found = [
        (column, row, *fit)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if (fit := _fit(excess, noise, row, column, beta, guess)) is not None
    ]
    if not found:
        return tuple(np.zeros((3, 0)))
    x, y, width = np.array(found).T
    return x, y, width


def field_of_widths(
    x: np.ndarray, y: np.ndarray, fwhm: np.ndarray, shape: tuple[int, int]
) -> tuple[float, np.ndarray]:
    """Median width, and the polynomial of second degree of the width relative to it.

    With fewer than 40 stars the width is constant. Objects that differ from the median by more than
    three times the median deviation, such as galaxies, are excluded.

    Returns
    -------
    fwhm : float
        In pixels.
    widths : ndarray, shape (6,)
        As for `gammafind.sky.field_psf.FieldPsf`.
    """
    middle = float(np.median(fwhm))
    deviation = np.abs(fwhm - middle)
    kept = deviation <= 3 * 1.4826 * np.median(deviation) + 1e-9
    middle = float(np.median(fwhm[kept]))
    widths = np.zeros(N_TERMS)
    widths[0] = 1.0
    if kept.sum() >= _LEAST_FOR_FIELD:
        terms = polynomial_terms(x[kept], y[kept], shape)
        widths = np.linalg.lstsq(terms, fwhm[kept] / middle, rcond=None)[0]
    return middle, widths


def _bright_peaks(
    excess: np.ndarray, noise: np.ndarray, usable: np.ndarray, full: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the brightest peaks that are not at the edge and not saturated."""
    ny, nx = excess.shape
    row, column = np.nonzero((excess > _LEAST_PEAK * noise) & usable & (excess < 0.8 * full))
    inside = (row >= _HALF) & (row < ny - _HALF) & (column >= _HALF) & (column < nx - _HALF)
    row, column = row[inside], column[inside]
    order = np.argsort(-excess[row, column], kind="stable")
    rows, columns, taken = [], [], np.zeros((ny // 4 + 1, nx // 4 + 1), dtype=bool)
    for r, c in zip(row[order].tolist(), column[order].tolist(), strict=True):
        if taken[r // 4, c // 4]:
            continue
        around = excess[r - _HALF : r + _HALF + 1, c - _HALF : c + _HALF + 1]
        taken[max(r // 4 - 2, 0) : r // 4 + 3, max(c // 4 - 2, 0) : c // 4 + 3] = True
        if around.max() > excess[r, c] or not _alone(around):
            continue
        rows.append(r)
        columns.append(c)
        if len(rows) == _MOST_STARS:
            break
    return np.array(rows, dtype=int), np.array(columns, dtype=int)


def _alone(around: np.ndarray) -> bool:
    """Whether a square contains no second peak above 5 % of the first."""
    smooth = uniform_filter(around, 3)
    peaks = (smooth == maximum_filter(smooth, 5)) & (smooth > _NEIGHBOURS * around.max())
    return np.count_nonzero(peaks) == 1


def _fit(
    excess: np.ndarray, noise: np.ndarray, row: int, column: int, beta: float, guess: float
) -> tuple[float] | None:
    """Width of one star, None if the fit is bad."""
    part = slice(row - _HALF, row + _HALF + 1), slice(column - _HALF, column + _HALF + 1)
    stamp, scale = excess[part].astype(float), float(excess[row, column])
    # The PSF is not an exact Moffat profile: do not weight bright stars by photon noise alone.
    error = np.hypot(noise[part], 0.02 * scale)
    y, x = np.mgrid[-_HALF : _HALF + 1, -_HALF : _HALF + 1]
    factor = 4 * (2 ** (1 / beta) - 1)

    def residual(p: np.ndarray) -> np.ndarray:
        square = (x - p[1]) ** 2 + (y - p[2]) ** 2
        model = p[0] * scale * (1 + factor * square / p[3] ** 2) ** -beta + p[4] * scale
        return ((stamp - model) / error).ravel()

    low, high = [0.2, -2, -2, 0.5, -1], [5, 2, 2, 2 * _HALF, 1]
    fit = least_squares(residual, [1, 0, 0, guess, 0], bounds=(low, high), max_nfev=50)
    left = (residual(fit.x).reshape(stamp.shape) * error)[_CORE]
    sharp = np.mean((left / np.hypot(noise[part][_CORE], _CORE_ERROR * scale)) ** 2) > _WORST_CORE
    bad = not fit.success or fit.cost * 2 / stamp.size > _WORST or fit.x[3] < 1.2
    return None if bad or sharp else (float(fit.x[3]),)
