"""Convolutions of whole-sky maps by spherical harmonics."""

from __future__ import annotations

import numpy as np

__all__ = ["convolve"]

_THREADS = 0


def convolve(values: np.ndarray, nside: int, window: np.ndarray, nside_out: int) -> np.ndarray:
    """Sum over all pixels of ``values`` times a radial kernel, at the centres of ``nside_out``.

    Parameters
    ----------
    values : ndarray, shape (12 nside**2,)
        RING order.
    nside : int
    window : ndarray, shape (lmax + 1,)
        Legendre transform of the kernel, as `gammafind.sky.psf.RadialPsf.window` gives it.
    nside_out : int

    Returns
    -------
    ndarray, shape (12 nside_out**2,)

    Notes
    -----
    The sum over pixels is exact (an adjoint synthesis, no quadrature); only the kernel is cut
    at its largest multipole.
    """
    import ducc0
    import healpy as hp

    lmax = len(window) - 1
    alm = ducc0.sht.adjoint_synthesis(
        map=np.asarray(values, dtype=float)[None],
        spin=0,
        lmax=lmax,
        nthreads=_THREADS,
        **_geometry(nside),
    )
    alm = hp.almxfl(alm[0], window)[None]
    geometry = _geometry(nside_out)
    return ducc0.sht.synthesis(alm=alm, spin=0, lmax=lmax, nthreads=_THREADS, **geometry)[0]


def _geometry(nside: int) -> dict[str, np.ndarray]:
    import ducc0

    return ducc0.healpix.Healpix_Base(nside, "RING").sht_info()
