"""Significance of an excess over the background in every pixel of a patch."""

from __future__ import annotations

import numpy as np

from gammafind.sky.patches import Patches, require_parts
from gammafind.sky.psf import RadialPsf
from gammafind.sky.upsample import upsample

_CONTAINMENT = 0.95
"""Share of the PSF within the kernel: balances signal and time."""
_SUBPIXELS = 5
"""Sub-pixels per side over which the PSF is averaged: balances accuracy and time."""
_LEAST_BACKGROUND = 1e-4
"""Smallest expected counts in a kernel: keeps the logarithm finite."""


def significance_map(patches: Patches, index: int) -> np.ndarray:
    """Significance of an excess in each pixel of the finest band, all bands together.

    In each band counts and expected background are summed with the weights of `matched_kernel`, in
    the pixels of the band. The likelihood ratio of the sums, with the sign of the excess, is
    interpolated to the finest pixels and summed over the bands. No spectrum of a source is assumed.

    Parameters
    ----------
    patches : Patches
        With background and PSFs.
    index : int
        Index of the patch.

    Returns
    -------
    ndarray, shape (n, n)
        Square root of the sum, in standard deviations, with its sign; 0 if the finest band has no
        data.

    Raises
    ------
    OptionError
        If the patches have no background or no PSFs.
    """
    from scipy.signal import fftconvolve

    remedy = "A significance needs the expected background and the PSF of each band."
    require_parts(patches, "background", "psfs", remedy=remedy)
    width = patches.score_width
    total = np.zeros((width, width))
    for counts, background, psf in zip(
        patches.counts, patches.background, patches.psfs, strict=True
    ):
        own = counts.shape[-1]
        kernel = matched_kernel(psf, patches.grid.pixel_size(own), own)
        seen, expected = (
            fftconvolve(array[index].astype(float), kernel, mode="same")
            for array in (counts, background)
        )
        total += upsample(signed_ts(seen, expected)[None], width)[0]
    finest = patches.valid[int(np.argmax(patches.n_pixels))][index]
    return np.where(finest, np.sign(total) * np.sqrt(np.abs(total)), 0)


def matched_kernel(psf: RadialPsf, pixel_size: float, width: int) -> np.ndarray:
    """PSF in pixels, scaled so that weighted sums of counts have Poisson noise.

    With weights w, background counts with a mean of b per pixel have a sum with mean b sum(w) and
    variance b sum(w^2). The kernel has sum(w) = sum(w^2), the effective number of pixels.

    Parameters
    ----------
    psf : RadialPsf
    pixel_size : float
        In degrees.
    width : int
        Pixels per side of the patch; the kernel is not wider.

    Returns
    -------
    ndarray, shape (k, k)
        With k odd.
    """
    radius = psf.containment_radius(_CONTAINMENT).to_value("deg")
    half = min(int(np.ceil(radius / pixel_size)), (width - 1) // 2)
    fine = np.arange((2 * half + 1) * _SUBPIXELS)
    offset = np.radians(((fine + 0.5) / _SUBPIXELS - half - 0.5) * pixel_size)
    density = psf(np.hypot(offset[:, None], offset))
    size = 2 * half + 1
    kernel = density.reshape(size, _SUBPIXELS, size, _SUBPIXELS).mean(axis=(1, 3))
    return kernel * kernel.sum() / np.sum(kernel**2)


def signed_ts(counts: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Likelihood ratio of Poisson counts to their expectation, with the sign of the excess.

    Parameters
    ----------
    counts, background : ndarray
        Arrays of the same shape; not necessarily integers.

    Returns
    -------
    ndarray
        2 (n ln(n / b) - n + b) for an excess, its negative for a deficit.

    References
    ----------
    Cash 1979, doi:10.1086/156922
    """
    counts = np.maximum(counts, 0)
    background = np.maximum(background, _LEAST_BACKGROUND)
    ratio = np.where(counts > 0, counts / background, 1)
    ts = 2 * (counts * np.log(ratio) - counts + background)
    return np.sign(counts - background) * np.maximum(ts, 0)
