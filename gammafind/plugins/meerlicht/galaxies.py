"""Galaxies: Sersic profiles seen through the atmosphere."""

from __future__ import annotations

import numpy as np
from astropy.modeling.models import Sersic2D
from scipy.signal import fftconvolve

from gammafind.plugins.meerlicht.moffat import alpha_of
from gammafind.plugins.meerlicht.stamps import add_stamp

__all__ = ["draw_galaxies", "galaxy_stamp"]

_FINE = 3
"""Sub-pixels a side in which a profile is computed."""
_REACH = 5.0
"""Half side of a stamp in half-light radii, beyond that of the PSF."""
_PSF_REACH = 2.5
_LARGEST = 120


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
    x, y, electrons, fwhm, beta
        As for `gammafind.plugins.meerlicht.stamps.draw_stars`.
    radius : ndarray, shape (n,)
        Half-light radius along the major axis, in pixels.
    index : ndarray, shape (n,)
        Sersic index.
    axis_ratio : ndarray, shape (n,)
        Minor over major axis.
    angle : ndarray, shape (n,)
        Of the major axis from the x axis, in radians.
    """
    for i in range(len(x)):
        column, row = (int(np.floor(at[i] + 0.5)) for at in (x, y))
        stamp = electrons[i] * galaxy_stamp(
            x[i] - column, y[i] - row, float(fwhm[i]), beta,
            radius[i], index[i], axis_ratio[i], angle[i],
        )  # fmt: skip
        half = len(stamp) // 2
        add_stamp(image, stamp, column - half, row - half)


def galaxy_stamp(
    dx: float,
    dy: float,
    fwhm: float,
    beta: float,
    radius: float,
    index: float,
    axis_ratio: float,
    angle: float,
) -> np.ndarray:
    """Image of a galaxy of one electron, ``dx, dy`` off the middle of a square of odd side.

    The profile is computed by astropy in 3 x 3 sub-pixels and convolved there with the PSF.

    References
    ----------
    Sersic 1968, Atlas de Galaxias Australes; Graham & Driver 2005, doi:10.1071/AS05001
    """
    half = int(min(np.ceil(_REACH * radius + _PSF_REACH * fwhm), _LARGEST))
    fine = (np.arange((2 * half + 1) * _FINE) + 0.5) / _FINE - half - 0.5
    columns, rows = np.meshgrid(fine, fine)
    profile = Sersic2D(1.0, radius, index, dx, dy, 1 - axis_ratio, angle)(columns, rows)
    reach = (int(np.ceil(_PSF_REACH * fwhm)) + 0.5) * _FINE
    offset = (np.arange(-int(reach), int(reach) + 1)) / _FINE
    square = (offset[:, None] ** 2 + offset**2) / alpha_of(fwhm, beta) ** 2
    kernel = (1 + square) ** -beta
    seen = fftconvolve(profile / profile.sum(), kernel / kernel.sum(), mode="same")
    side = 2 * half + 1
    return seen.reshape(side, _FINE, side, _FINE).sum(axis=(1, 3)).astype(np.float32)
