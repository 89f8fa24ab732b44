"""The point source that fits a stamp of an image best, and how many like it were found."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["density_of_likes", "point_source_fit"]

_CORE = 1.0
"""Radius about the middle, in FWHM, within which a point source is fitted."""
_LIKE = 0.1
"""Largest difference of the logarithms of signal-to-noise ratios that are alike."""
_LEAST_RATIO = 0.1


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
        In units of the noise of a pixel; 0 where no pixel of the core is known.
    ratio : ndarray, shape (n,)
        Signal-to-noise ratio, the noise being that of the sky.
    core : ndarray of bool, shape (n, p, p)
        Pixels within a FWHM of the middle.
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
    """Detections of a like signal-to-noise ratio in an image, for each of some positions.

    Peaks of the noise are as many as their height and the width of the PSF say. Where there are
    more than that, most are sources.

    Parameters
    ----------
    ratio : ndarray, shape (n,)
        Signal-to-noise ratios.
    found : ndarray of bool, shape (n,)
        Which positions are detections.
    fwhm : ndarray, shape (n,)
        Of the PSF in pixels.
    n_pixels : int
        Of the image that hold data.

    Returns
    -------
    ndarray, shape (n,)
        Detections a unit of ln(ratio) in an area of the square of the FWHM.

    References
    ----------
    Bond & Efstathiou 1987, doi:10.1093/mnras/226.3.655 (peaks of the noise)
    """
    here = np.log(np.maximum(ratio, _LEAST_RATIO))
    known = np.sort(here[found])
    number = np.searchsorted(known, here + _LIKE, "right") - np.searchsorted(known, here - _LIKE)
    return (number + 0.5) * fwhm**2 / (2 * _LIKE * max(n_pixels, 1))
