"""The Moffat profile: its shape, its radius at a brightness, and the profile on the sky."""

from __future__ import annotations

import numpy as np

from gammafind.sky.field_psf import FieldPsf

_REACH = 60.0
"""Radius of the tabulated profile, in FWHM: far into the wings of bright stars."""
_N_RADII = 400
"""Radii of the tabulated profile: close enough for linear interpolation."""


def alpha_of(fwhm: np.ndarray, beta: float) -> np.ndarray:
    """Scale radius for a full width at half maximum, in the same unit."""
    return np.asarray(fwhm) / (2 * np.sqrt(2 ** (1 / beta) - 1))


def peak_of(alpha: np.ndarray, beta: float) -> np.ndarray:
    """Density at the centre of a normalised profile.

    References
    ----------
    Moffat 1969, A&A 3, 455; Trujillo et al. 2001, doi:10.1046/j.1365-8711.2001.04937.x, eq. 1
    """
    return (beta - 1) / (np.pi * np.asarray(alpha) ** 2)


def radius_of(brightness: np.ndarray, alpha: np.ndarray, beta: float) -> np.ndarray:
    """Radius at which the density relative to the peak is ``brightness``."""
    ratio = np.minimum(np.asarray(brightness, dtype=float), 1.0)
    return np.asarray(alpha) * np.sqrt(ratio ** (-1 / beta) - 1)


def field_psf(
    fwhm: float, beta: float, widths: np.ndarray, shape: tuple[int, int], pixel_scale: float
) -> FieldPsf:
    """Moffat profile on the sky with a width that varies across an image.

    Parameters
    ----------
    fwhm : float
        Width in pixels where the relative width is one.
    beta : float
    widths : ndarray, shape (6,)
        As for `gammafind.sky.field_psf.FieldPsf`.
    shape : tuple of int
    pixel_scale : float
        Radians per pixel.
    """
    radii = np.concatenate([[0.0], np.geomspace(fwhm / 50, _REACH * fwhm, _N_RADII)])
    density = (1 + (radii / alpha_of(fwhm, beta)) ** 2) ** -beta
    return FieldPsf(radii * pixel_scale, density, widths=widths, shape=tuple(shape))
