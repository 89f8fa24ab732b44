"""Convolution of maps and points on the sphere with spherical harmonics."""

from __future__ import annotations

from functools import lru_cache

import ducc0
import numpy as np

SIGMA_OF_FWHM = 1 / np.sqrt(8 * np.log(2))
"""Ratio of the standard deviation of a Gaussian to its full width at half maximum."""
_THREADS = 0
"""All cores."""
_SAME_THREADS = 1
"""For sums over points: the number of threads changes the last digits and gains little speed."""
_EPSILON = 1e-7
"""Relative accuracy of sums at points: close to single precision, and fast."""


def convolve(values: np.ndarray, nside: int, window: np.ndarray, nside_out: int) -> np.ndarray:
    """Convolve a map with a radial kernel and evaluate it at the centres of ``nside_out``.

    Parameters
    ----------
    values : ndarray, shape (12 nside**2,)
        RING order.
    nside : int
    window : ndarray, shape (lmax + 1,)
        Legendre transform of the kernel, as returned by `gammafind.sky.psf.RadialPsf.window`.
    nside_out : int

    Returns
    -------
    ndarray, shape (12 nside_out**2,)

    Notes
    -----
    The sum over pixels is exact (an adjoint synthesis, no quadrature). Only the kernel is truncated
    at its largest multipole.
    """
    alm = analyse_map(values, nside, window)
    return synthesise(alm, nside_out)


def gaussian_window(sigma: float, lmax: int) -> np.ndarray:
    """Legendre transform of a Gaussian of ``sigma`` degrees, shape (lmax + 1,)."""
    ell = np.arange(lmax + 1)
    return np.exp(-ell * (ell + 1) * np.radians(sigma) ** 2 / 2)


def analyse_map(values: np.ndarray, nside: int, window: np.ndarray) -> np.ndarray:
    """Harmonic coefficients of the sum over pixels of ``values`` times a radial kernel."""
    return _filtered(_analyse(values, nside, len(window) - 1), window)


def analyse_points(vectors: np.ndarray, weights: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Harmonic coefficients of the sum over points of ``weights`` times a radial kernel.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors; the sums use the exact positions, not pixel centres.
    weights : ndarray, shape (n,)
    window : ndarray, shape (lmax + 1,)

    Returns
    -------
    ndarray of complex
        In the order of healpy.
    """
    alm = ducc0.sht.adjoint_synthesis_general(
        map=np.asarray(weights, dtype=float)[None],
        spin=0,
        lmax=len(window) - 1,
        loc=angles_of(vectors),
        epsilon=_EPSILON,
        nthreads=_SAME_THREADS,
    )
    return _filtered(alm[0], window)


def synthesise(alm: np.ndarray, nside: int) -> np.ndarray:
    """Sum of harmonics at the pixel centres of ``nside``, RING order."""
    return ducc0.sht.synthesis(
        alm=alm[None], spin=0, lmax=_lmax(alm), nthreads=_THREADS, **_geometry(nside)
    )[0]


def synthesise_at(alm: np.ndarray, angles: np.ndarray, *, threads: int | None = None) -> np.ndarray:
    """Sum of harmonics at points.

    Parameters
    ----------
    alm : ndarray of complex
        In the order of healpy.
    angles : ndarray, shape (n, 2)
        Colatitudes and longitudes in radians.
    threads : int, optional
        All by default; the last digits depend on their number.

    Returns
    -------
    ndarray, shape (n,)
    """
    return ducc0.sht.synthesis_general(
        alm=alm[None],
        spin=0,
        lmax=_lmax(alm),
        loc=angles,
        epsilon=_EPSILON,
        nthreads=_THREADS if threads is None else threads,
    )[0]


def kernel_sums(vectors: np.ndarray, window: np.ndarray, nside: int) -> np.ndarray:
    """Sum of a radial kernel around each point over the pixel centres of ``nside``, shape (n,).

    Multiplied by the area of a pixel it is one, if HEALPix samples the kernel well.
    """
    alm = _filtered(_pixel_sum(nside, len(window) - 1).copy(), window)
    return synthesise_at(alm, angles_of(vectors), threads=_SAME_THREADS)


def angles_of(vectors: np.ndarray) -> np.ndarray:
    """Colatitudes and longitudes in radians, shape (n, 2), of unit vectors, shape (n, 3)."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([np.arctan2(np.hypot(x, y), z), np.arctan2(y, x) % (2 * np.pi)], axis=-1)


@lru_cache(maxsize=8)
def _pixel_sum(nside: int, lmax: int) -> np.ndarray:
    return _analyse(np.ones(12 * nside**2), nside, lmax)


def _analyse(values: np.ndarray, nside: int, lmax: int) -> np.ndarray:
    return ducc0.sht.adjoint_synthesis(
        map=np.asarray(values, dtype=float)[None],
        spin=0,
        lmax=lmax,
        nthreads=_THREADS,
        **_geometry(nside),
    )[0]


def _filtered(alm: np.ndarray, window: np.ndarray) -> np.ndarray:
    import healpy as hp

    return hp.almxfl(alm, window, inplace=True)


def _lmax(alm: np.ndarray) -> int:
    return int(np.sqrt(2 * alm.size) - 1)


def _geometry(nside: int) -> dict[str, np.ndarray]:
    return ducc0.healpix.Healpix_Base(nside, "RING").sht_info()
