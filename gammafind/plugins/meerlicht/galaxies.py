"""Galaxies: Sersic profiles seen through the atmosphere, as mixtures of Gaussians."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from astropy.modeling.models import Sersic1D
from scipy.optimize import nnls

from gammafind.plugins.meerlicht.stars import add_stamp

__all__ = ["draw_galaxies", "galaxy_stamps", "mixture_of_moffat", "mixture_of_sersic"]

_SERSIC_WIDTHS = np.geomspace(0.02, 5.0, 12)
_SERSIC_RADII = np.geomspace(0.005, 8.0, 300)
_MOFFAT_WIDTHS = np.geomspace(0.3, 6.0, 8)
_MOFFAT_RADII = np.concatenate([[0.0], np.geomspace(0.05, 10.0, 200)])
_STEPS = np.array([8, 12, 17, 24, 34, 48, 68, 96, 136])
_FAINT = 1e-3
"""Brightness, relative to that at the unit of radius, below which the fit need not be close."""
_AT_ONCE = 1_000_000
"""Pixels of stamps that are computed together."""


def draw_galaxies(
    image: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    electrons: np.ndarray,
    fwhm: np.ndarray,
    *,
    beta: float,
    radius: np.ndarray,
    index: np.ndarray,
    axis_ratio: np.ndarray,
    angle: np.ndarray,
) -> None:
    """Add galaxies to an image in place.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
    x, y, electrons, fwhm : ndarray, shape (n,)
    beta : float
        These as for `gammafind.plugins.meerlicht.stars.draw_stars`.
    radius : ndarray, shape (n,)
        Half-light radius along the major axis, in pixels.
    index : ndarray, shape (n,)
        Sersic index.
    axis_ratio : ndarray, shape (n,)
        Minor over major axis.
    angle : ndarray, shape (n,)
        Of the major axis from the x axis, in radians.
    """
    bright = 1.5 * np.log10(np.maximum(electrons / 300, 1))
    size = np.searchsorted(_STEPS[:-1], 2 * fwhm + radius * (2 + bright))
    for step, index_n in {(s, n) for s, n in zip(size.tolist(), index.tolist(), strict=True)}:
        half = int(_STEPS[step])
        chosen = np.flatnonzero((size == step) & (index == index_n))
        for rows in np.array_split(chosen, 1 + len(chosen) * (2 * half + 1) ** 2 // _AT_ONCE):
            column, row = (np.floor(at[rows] + 0.5).astype(int) for at in (x, y))
            stamps = galaxy_stamps(
                x[rows] - column, y[rows] - row, fwhm[rows], radius[rows], axis_ratio[rows],
                angle[rows], beta=beta, index=index_n, half=half,
            )  # fmt: skip
            stamps *= electrons[rows, None, None].astype(np.float32)
            for stamp, left, low in zip(stamps, column - half, row - half, strict=True):
                add_stamp(image, stamp, int(left), int(low))


def galaxy_stamps(
    dx: np.ndarray,
    dy: np.ndarray,
    fwhm: np.ndarray,
    radius: np.ndarray,
    axis_ratio: np.ndarray,
    angle: np.ndarray,
    *,
    beta: float,
    index: float,
    half: int,
) -> np.ndarray:
    """Images of galaxies of one electron each, all of one Sersic index.

    Both the galaxy and the PSF are mixtures of Gaussians, and so is their convolution, exactly.

    Returns
    -------
    ndarray of float32, shape (n, 2 half + 1, 2 half + 1)
        Centred ``dx, dy`` off the middle pixel.

    References
    ----------
    Hogg & Lang 2013, doi:10.1086/671228
    """
    offset = np.arange(-half, half + 1)
    x, y = ((offset - at[:, None]).astype(np.float32) for at in (dx, dy))
    cosine, sine = np.cos(angle), np.sin(angle)
    major, minor = radius**2, (radius * axis_ratio) ** 2
    shape = (
        major * cosine**2 + minor * sine**2,
        (major - minor) * cosine * sine,
        major * sine**2 + minor * cosine**2,
    )
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / beta) - 1))
    stamps = np.zeros((len(dx), offset.size, offset.size), dtype=np.float32)
    for weight, width in zip(*mixture_of_sersic(index), strict=True):
        for share, spread in zip(*mixture_of_moffat(beta), strict=True):
            blur = (spread * alpha) ** 2
            xx, xy, yy = width**2 * shape[0] + blur, width**2 * shape[1], width**2 * shape[2] + blur
            _add_gaussians(stamps, x, y, xx, xy, yy, weight * share)
    return stamps


@lru_cache(maxsize=64)
def mixture_of_sersic(index: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and widths, in half-light radii, of Gaussians that make up a Sersic profile.

    The profile ends at eight half-light radii.
    """
    profile = Sersic1D(1.0, 1.0, index)
    return _mixture(profile, _SERSIC_RADII, _SERSIC_WIDTHS)


@lru_cache(maxsize=16)
def mixture_of_moffat(beta: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and widths, in scale radii, of Gaussians that make up a Moffat profile."""
    return _mixture(lambda r: (1 + r**2) ** -beta, _MOFFAT_RADII, _MOFFAT_WIDTHS)


def _mixture(
    profile: Callable[[np.ndarray], np.ndarray], radii: np.ndarray, widths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of norm one that fit the light of a profile best, and their widths."""
    values = profile(radii)
    basis = np.exp(-0.5 * (radii[:, None] / widths) ** 2) / (2 * np.pi * widths**2)
    scale = radii / np.sqrt(values + _FAINT * profile(1.0))
    norm = np.linalg.norm(basis * scale[:, None], axis=0)
    weights = nnls(basis * scale[:, None] / norm, values * scale, maxiter=1000)[0] / norm
    used = weights > 1e-4 * weights.sum()
    return weights[used] / weights[used].sum(), widths[used]


def _add_gaussians(
    stamps: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    xx: np.ndarray,
    xy: np.ndarray,
    yy: np.ndarray,
    weight: float,
) -> None:
    """Add a Gaussian of a covariance to each stamp in place."""
    determinant = xx * yy - xy**2
    a, b, c = ((-0.5 * v / determinant).astype(np.float32)[:, None] for v in (yy, -2 * xy, xx))
    exponent = (b * y)[:, :, None] * x[:, None, :]
    exponent += (a * x**2)[:, None, :]
    exponent += (c * y**2)[:, :, None]
    np.exp(exponent, out=exponent)
    exponent *= (weight / (2 * np.pi * np.sqrt(determinant))).astype(np.float32)[:, None, None]
    stamps += exponent
