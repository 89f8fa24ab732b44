"""Evidence for a detection in an image: the network's score, and how well the PSF fits."""

from __future__ import annotations

import numpy as np

from gammafind.fitting.image.point_fit import PointFit
from gammafind.networks.logits import logit
from gammafind.networks.peaks import Peaks

_LEAST_SNR = 0.1
_LEAST_CHI2 = 0.01
_LARGEST_LOG = 5.0
"""Largest logarithm; larger ones are clipped."""


def tile_evidence(peaks: Peaks, fit: PointFit, fwhm: float) -> np.ndarray:
    """Entries of `gammafind.networks.ranking.Ranking` for detections in a tile.

    Parameters
    ----------
    peaks : Peaks
        n detections, with probabilities by the network alone.
    fit : PointFit
        Of the same.
    fwhm : float
        Width of the PSF in pixels.

    Returns
    -------
    ndarray, shape (n, 6)
        Logit of the probability; logarithms of the fitted signal-to-noise ratio, of chi2, of 1
        and the crowding, of the width of the PSF; distance of the fitted place from the middle of
        the pixel where the score is highest, over the width and squared: there the score of a
        narrow PSF is lower.
    """
    with np.errstate(invalid="ignore"):
        snr = np.maximum(fit.electrons / fit.electrons_err, _LEAST_SNR)
    apart = (fit.x - np.rint(peaks.x)) ** 2 + (fit.y - np.rint(peaks.y)) ** 2
    entries = np.stack(
        [
            logit(peaks.score),
            np.log(snr),
            np.log(np.maximum(fit.chi2, _LEAST_CHI2)),
            np.log1p(np.maximum(fit.crowding, 0)),
            np.full(len(peaks.score), np.log(fwhm)),
            np.minimum(apart / fwhm**2, 1),
        ],
        axis=1,
    )
    entries[:, 1:5] = np.clip(entries[:, 1:5], -_LARGEST_LOG, _LARGEST_LOG)
    return entries
