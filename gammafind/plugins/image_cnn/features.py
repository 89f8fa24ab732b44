"""What the network sees of a stamp: the image, what a point source leaves of it, and numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["ARRAYS", "N_CHANNELS", "N_NUMBERS", "features", "point_source_fit"]

ARRAYS = ("excess", "flags", "psf", "noise", "fwhm")
"""Arrays of `gammafind.measure.stamps.make_stamps` that are looked at."""
N_CHANNELS, N_NUMBERS = 4, 5

_PSF_ERROR = 0.02
"""Error of the PSF, as a share of itself."""
_CORE = 1.0
"""Radius about the middle, in FWHM, within which a point source is fitted."""
_SHARES = (-1.0, 3.0)
_LEAST = 1e-3


def features(arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Images and numbers of detections.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        `ARRAYS`.

    Returns
    -------
    images : ndarray, shape (n, p, p, `N_CHANNELS`), float32
        Inverse hyperbolic sine of the image over its noise; the same of what is left of it over
        its error when the point source of `point_source_fit` is taken away; the image over the
        peak of that point source; flags of pixels.
    numbers : ndarray, shape (n, `N_NUMBERS`), float32
        Logarithms of the FWHM, the signal-to-noise ratio of the point source, and of the mean
        square of the residuals in the core and outside; share of the core that is not known or
        saturated.
    """
    excess, flags = arrays["excess"], arrays["flags"]
    flux, ratio, core = point_source_fit(arrays)
    model = flux[:, None, None] * arrays["psf"]
    variance = 1 + np.maximum(model, 0) / arrays["noise"][:, None, None] + (_PSF_ERROR * model) ** 2
    residual = np.where(flags == 0, (excess - model) / np.sqrt(variance), 0)
    peak = np.maximum(model.max(axis=(1, 2)), 1)
    images = np.stack(
        [
            np.arcsinh(excess),
            np.arcsinh(residual),
            np.clip(excess / peak[:, None, None], *_SHARES),
            flags,
        ],
        axis=-1,
    )
    columns = [
        np.log(np.maximum(arrays["fwhm"], _LEAST)),
        np.arcsinh(ratio),
        np.log(_mean(residual**2, core) + _LEAST),
        np.log(_mean(residual**2, ~core) + _LEAST),
        _mean(flags != 0, core),
    ]
    return images.astype(np.float32), np.stack(columns, axis=1).astype(np.float32)


def point_source_fit(
    arrays: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flux of a point source at the position of each detection, by least squares in its core.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        `ARRAYS`.

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


def _mean(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Mean over the chosen pixels of each stamp, 0 where there are none."""
    number = chosen.sum(axis=(1, 2))
    return np.where(chosen, values, 0).sum(axis=(1, 2)) / np.maximum(number, 1)
