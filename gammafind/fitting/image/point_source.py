"""The best-fitting point source in a stamp of an image, and the density of similar detections."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_CORE = 1.0
"""Radius in FWHM within which a point source is fitted: balances signal and light of neighbours."""
_LIKE = 0.1
"""Largest difference of the logarithms of similar signal-to-noise ratios: balances resolution and
noise."""
_LEAST_RATIO = 0.1
"""Smaller signal-to-noise ratios count as this one: the logarithm needs positive values."""


def point_source_fit(
    arrays: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flux of a point source at the position of each detection, by least squares in its core.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        With ``excess``, ``flags``, ``psf`` and ``fwhm`` of
        `gammafind.fitting.image.stamps.make_stamps`.

    Returns
    -------
    flux : ndarray, shape (n,)
        In units of the noise of a pixel; 0 if no pixel of the core is valid.
    ratio : ndarray, shape (n,)
        Signal-to-noise ratio, with the noise of the sky.
    core : ndarray of bool, shape (n, p, p)
        Pixels within one FWHM of the centre.
    """
    side = arrays["psf"].shape[-1]
    offset = np.arange(side) - side // 2
    apart = np.hypot(offset[:, None], offset)
    core = apart <= np.maximum(_CORE * arrays["fwhm"], 1)[:, None, None]
    psf = np.where(core & (arrays["flags"] == 0), arrays["psf"], 0).astype(float)
    norm = np.sum(psf**2, axis=(1, 2))
    flux = np.sum(psf * arrays["excess"], axis=(1, 2)) / np.where(norm > 0, norm, 1)
    return flux, flux * np.sqrt(norm), core


def density_of_likes(
    ratio: np.ndarray, found: np.ndarray, fwhm: np.ndarray, n_pixels: int
) -> np.ndarray:
    """Density of detections with a similar signal-to-noise ratio, for each of some positions.

    The number of noise peaks follows from their height and the width of the PSF. If there are more
    detections than that, most are sources.

    Parameters
    ----------
    ratio : ndarray, shape (n,)
        Signal-to-noise ratios.
    found : ndarray of bool, shape (n,)
        Which positions are detections.
    fwhm : ndarray, shape (n,)
        FWHM of the PSF in pixels.
    n_pixels : int
        Number of pixels of the image that have data.

    Returns
    -------
    ndarray, shape (n,)
        Detections per unit of ln(ratio) and per area of FWHM squared.

    References
    ----------
    Bond & Efstathiou 1987, doi:10.1093/mnras/226.3.655 (peaks of the noise)
    """
    here = np.log(np.maximum(ratio, _LEAST_RATIO))
    known = np.sort(here[found])
    number = np.searchsorted(known, here + _LIKE, "right") - np.searchsorted(known, here - _LIKE)
    return (number + 0.5) * fwhm**2 / (2 * _LIKE * max(n_pixels, 1))
