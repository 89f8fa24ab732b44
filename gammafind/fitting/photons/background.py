"""Norms of the background: one per component for the whole sky, and a slowly varying one."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.ndimage import gaussian_filter

from gammafind.fitting.photons.joint import JointFit, fit_jointly
from gammafind.sky.harmonics import SIGMA_OF_FWHM, convolve, gaussian_window
from gammafind.sky.pixels import HealpixPixels, Pixels

NORM_LIMITS = (0.3, 3.0)
"""Keep sources that are not in the model from absorbing or emptying the background."""
_SYSTEMATIC = 0.3
"""Relative error of an interstellar model in a cell of half a degree: limits the weight of bright
emission, and none of it is left out."""
_CELL = 0.21
"""Area of such a cell in square degrees, that of a HEALPix pixel of nside 128."""
_OUTLIER = 5.0
"""Standard deviations above the model from which a pixel is left out: it holds a source that is not
known yet."""
_ROUNDS = 4
"""Fits, each without the outliers of the last: more change nothing."""


def component_norms(
    counts: list[np.ndarray],
    sources: list[np.ndarray],
    components: list[np.ndarray],
    *,
    areas: list[float] | None = None,
) -> JointFit:
    """Fit one norm per component to all bands together, each where it matters.

    Parameters
    ----------
    counts, sources : list of ndarray, shape (n_pixels,)
        One array per band: observed counts, and expected counts of known sources.
    components : list of ndarray, shape (n_pixels, n_components)
        One array per band: expected counts of each background component.
    areas : list of float, optional
        Area of a pixel of each band in square degrees; that of nside 128 by default.

    Returns
    -------
    JointFit
        One amplitude per component, with its error.

    Notes
    -----
    All pixels are used. The likelihood of each has the weight ``1 / (1 + e**2 m)``, where ``m`` are
    the expected counts in 0.21 square degrees and ``e`` is 30 %, so that neither a bright region
    nor the many faint pixels determine the norm of a component that they hardly contain. Pixels
    that exceed the fit by five standard deviations are left out, and it is repeated.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, appendix B (doi:10.3847/1538-4365/ab6bcb).
    """
    parts = np.concatenate(components)
    seen, fixed = np.concatenate(counts, dtype=float), np.concatenate(sources, dtype=float)
    cells = np.concatenate(
        [
            np.full(len(part), max(_CELL / area, 1.0))
            for part, area in zip(counts, areas or [_CELL] * len(counts), strict=True)
        ]
    )
    fixed, norms = np.maximum(fixed, 1e-6), np.ones(parts.shape[1])
    used = np.ones(len(seen), dtype=bool)
    for _ in range(_ROUNDS):
        model = parts @ norms + fixed
        weight = used / (1 + _SYSTEMATIC**2 * cells * model)
        chosen = np.flatnonzero(weight)
        weight = weight[chosen]
        templates = sparse.csr_array(parts[chosen] * weight[:, None])
        fit = fit_jointly(seen[chosen] * weight, fixed[chosen] * weight, templates, norms)
        norms = fit.amplitude
        model = parts @ norms + fixed
        scatter = np.sqrt(model + (_SYSTEMATIC * model) ** 2)
        before, used = used, seen - model < _OUTLIER * np.maximum(scatter, 1)
        if np.array_equal(before, used):
            break
    return fit


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
    return np.clip(ratio, *NORM_LIMITS)


def _smooth(values: np.ndarray, pixels: Pixels, sigma: float) -> np.ndarray:
    if isinstance(pixels, HealpixPixels):
        lmax = int(min(3 * pixels.nside, np.ceil(5 / np.radians(sigma))))
        return convolve(values, pixels.nside, gaussian_window(sigma, lmax), pixels.nside)
    width = sigma / pixels.pixel_size.to_value("deg")
    image = np.asarray(values, dtype=float).reshape(pixels.shape)
    return gaussian_filter(image, width, mode="constant").ravel()
