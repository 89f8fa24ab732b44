"""Norms of the background: one per component for the whole sky, and a slowly varying one."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter

from gammafind.fitting.photons.joint import fit_jointly
from gammafind.sky.harmonics import SIGMA_OF_FWHM, convolve, gaussian_window
from gammafind.sky.pixels import HealpixPixels, Pixels

_NORM_LIMITS = (0.3, 3.0)
"""Keep sources that are not in the model from absorbing or emptying the background."""


def component_norms(
    counts: list[np.ndarray], sources: list[np.ndarray], components: list[np.ndarray]
) -> np.ndarray:
    """Fit one norm per component to all bands together.

    Parameters
    ----------
    counts, sources : list of ndarray, shape (n_pixels,)
        One array per band: observed counts, and expected counts of known sources.
    components : list of ndarray, shape (n_pixels, n_components)
        One array per band: expected counts of each background component.

    Returns
    -------
    ndarray, shape (n_components,)
    """
    fixed = np.maximum(np.concatenate(sources), 1e-6)
    templates = sparse.csr_array(np.concatenate(components))
    start = np.ones(templates.shape[1])
    return fit_jointly(np.concatenate(counts), fixed, templates, start).amplitude


def slow_norm(
    residual: np.ndarray, background: np.ndarray, pixels: Pixels, *, fwhm: float
) -> np.ndarray:
    """Ratio of counts to background model, both smoothed with a Gaussian.

    Parameters
    ----------
    residual : ndarray, shape (n_pixels,)
        Counts minus known sources; zero where not valid.
    background : ndarray, shape (n_pixels,)
        Expected counts of the background; zero where not valid.
    pixels : Pixels
    fwhm : float
        Full width at half maximum of the Gaussian, in degrees.

    Returns
    -------
    ndarray, shape (n_pixels,)
        Between 0.3 and 3; 1 where there are no data.
    """
    sigma = fwhm * SIGMA_OF_FWHM
    seen = _smooth(residual, pixels, sigma)
    expected = _smooth(background, pixels, sigma)
    usable = expected > 1e-9 * expected.max() if expected.size else expected > 0
    ratio = np.divide(seen, expected, out=np.ones_like(expected), where=usable)
    return np.clip(ratio, *_NORM_LIMITS)


def _smooth(values: np.ndarray, pixels: Pixels, sigma: float) -> np.ndarray:
    if isinstance(pixels, HealpixPixels):
        lmax = int(min(3 * pixels.nside, np.ceil(5 / np.radians(sigma))))
        return convolve(values, pixels.nside, gaussian_window(sigma, lmax), pixels.nside)
    width = sigma / pixels.pixel_size.to_value("deg")
    image = np.asarray(values, dtype=float).reshape(pixels.shape)
    return gaussian_filter(image, width, mode="constant").ravel()
