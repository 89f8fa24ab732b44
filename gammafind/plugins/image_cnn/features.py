"""What the network sees of a stamp: the image, what a point source leaves of it, and numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gammafind.fitting.image.point_source import point_source_fit
from gammafind.networks.logits import logit

ARRAYS = ("excess", "flags", "psf", "noise", "fwhm", "density")
"""Arrays of `gammafind.fitting.image.stamps.make_stamps` that the networks use."""
SCORE = "probability"
"""Array with the score of the localiser, which is an input of some networks."""
N_CHANNELS, N_NUMBERS = 4, 6

_PSF_ERROR = 0.02
"""Error of the PSF, as a share of itself."""
_SHARES = (-1.0, 3.0)
_LEAST = 1e-3
_LEAST_DENSITY = 1e-8


def features(
    arrays: Mapping[str, np.ndarray], *, scores: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Images and numbers of detections.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        `ARRAYS`, and `SCORE` if it is used.
    scores : bool
        Whether the probability of the localiser is one of the numbers.

    Returns
    -------
    images : ndarray, shape (n, p, p, `N_CHANNELS`), float32
        Inverse hyperbolic sine of the image over its noise; the same of what is left of it over
        its error when the point source of `point_source_fit` is taken away; the image over the
        peak of that point source; flags of pixels.
    numbers : ndarray, shape (n, `N_NUMBERS` or one more), float32
        Logarithms of the FWHM, the signal-to-noise ratio of the point source, and of the mean
        square of the residuals in the core and outside; share of the core that is not known or
        saturated; logarithm of the density of like detections; logit of the probability.
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
        np.log(np.maximum(arrays["density"], _LEAST_DENSITY)),
    ]
    if scores:
        columns.append(logit(arrays[SCORE]))
    return images.astype(np.float32), np.stack(columns, axis=1).astype(np.float32)


def _mean(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Mean over the chosen pixels of each stamp, 0 where there are none."""
    number = chosen.sum(axis=(1, 2))
    return np.where(chosen, values, 0).sum(axis=(1, 2)) / np.maximum(number, 1)
