"""Galaxies: Sersic profiles convolved with the PSF, as mixtures of Gaussians."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from astropy.modeling.models import Sersic1D
from scipy.optimize import nnls

from gammafind.plugins.meerlicht.moffat import alpha_of
from gammafind.plugins.meerlicht.stars import add_stamp

_SERSIC_WIDTHS = np.geomspace(0.02, 5.0, 12)
"""Widths of the Gaussians, in half-light radii: balance accuracy and time."""
_SERSIC_RADII = np.geomspace(0.005, 8.0, 300)
"""Radii of the fit, in half-light radii."""
_MOFFAT_WIDTHS = np.geomspace(0.3, 6.0, 8)
"""Widths of the Gaussians, in scale radii: balance accuracy and time."""
_MOFFAT_RADII = np.concatenate([[0.0], np.geomspace(0.05, 10.0, 200)])
"""Radii of the fit, in scale radii."""
_STEPS = np.array([8, 12, 17, 24, 34, 48, 68, 96, 136])
"""Half sides of stamps in pixels: few sizes, so that many galaxies are drawn together."""
_FAINT = 1e-3
"""Brightness, relative to that at unit radius, below which the fit may deviate."""
_AT_ONCE = 1_000_000
"""Pixels of stamps per step: limits memory."""


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
        All as for `gammafind.plugins.meerlicht.stars.draw_stars`.
    radius : ndarray, shape (n,)
        Half-light radius along the major axis, in pixels.
    index : ndarray, shape (n,)
        Sersic index.
    axis_ratio : ndarray, shape (n,)
        Ratio of minor to major axis.
    angle : ndarray, shape (n,)
        Angle of the major axis from the x axis, in radians.
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
    """Images of galaxies with one electron each, all with the same Sersic index.

    Galaxy and PSF are mixtures of Gaussians, so their convolution is also one, exactly.

    Returns
    -------
    ndarray of float32, shape (n, 2 half + 1, 2 half + 1)
        Centred ``dx, dy`` from the central pixel.

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
    alpha = alpha_of(fwhm, beta)
    stamps = np.zeros((len(dx), offset.size, offset.size), dtype=np.float32)
    for weight, width in zip(*mixture_of_sersic(index), strict=True):
        for share, spread in zip(*mixture_of_moffat(beta), strict=True):
            blur = (spread * alpha) ** 2
            xx, xy, yy = width**2 * shape[0] + blur, width**2 * shape[1], width**2 * shape[2] + blur
            _add_gaussians(stamps, x, y, xx, xy, yy, weight * share)
    return stamps


@lru_cache(maxsize=64)
def mixture_of_sersic(index: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and widths, in half-light radii, of Gaussians that approximate a Sersic profile.

    The profile ends at eight half-light radii.
    """
    profile = Sersic1D(1.0, 1.0, index)
    return _mixture(profile, _SERSIC_RADII, _SERSIC_WIDTHS)


@lru_cache(maxsize=16)
def mixture_of_moffat(beta: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights and widths, in scale radii, of Gaussians that approximate a Moffat profile."""
    return _mixture(lambda r: (1 + r**2) ** -beta, _MOFFAT_RADII, _MOFFAT_WIDTHS)


def _mixture(
    profile: Callable[[np.ndarray], np.ndarray], radii: np.ndarray, widths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Normalised weights that fit the light of a profile best, and their widths."""
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
    """Add a Gaussian with the given covariance to each stamp in place."""
    determinant = xx * yy - xy**2
    a, b, c = ((-0.5 * v / determinant).astype(np.float32)[:, None] for v in (yy, -2 * xy, xx))
    exponent = (b * y)[:, :, None] * x[:, None, :]
    exponent += (a * x**2)[:, None, :]
    exponent += (c * y**2)[:, :, None]
    np.exp(exponent, out=exponent)
    exponent *= (weight / (2 * np.pi * np.sqrt(determinant))).astype(np.float32)[:, None, None]
    stamps += exponent
