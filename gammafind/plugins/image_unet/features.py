"""What a network sees of a tile of an image: signal-to-noise ratios, and how wide the PSF is."""

from __future__ import annotations

import numpy as np

from gammafind.fitting.image.scene import Scene

N_CHANNELS = 3
"""Channels of `network_input`."""

_LINEAR = 4.0
"""Signal-to-noise ratio up to which it stays linear; above, it is nearly logarithmic."""
_TYPICAL_FWHM = 4.0


def tile_features(scene: Scene, side: int) -> np.ndarray:
    """Signal-to-noise ratio of each pixel by itself, and of a point source that it holds.

    Parameters
    ----------
    scene : Scene
        Of ``side`` pixels or fewer; outside a smaller one the features are zero.
    side : int

    Returns
    -------
    ndarray of float16, shape (side, side, 2)
        Linear up to 4, nearly logarithmic above.
    """
    ny, nx = scene.excess.shape
    features = np.zeros((side, side, 2), dtype=np.float16)
    for channel, ratio in enumerate((scene.snr, scene.matched_snr)):
        features[:ny, :nx, channel] = _LINEAR * np.arcsinh(ratio / _LINEAR)
    return features


def network_input(features: np.ndarray, fwhm: np.ndarray) -> np.ndarray:
    """Join the features of tiles with the width of their PSF.

    Parameters
    ----------
    features : ndarray, shape (n, side, side, 2)
        From `tile_features`.
    fwhm : ndarray, shape (n,)
        In pixels.

    Returns
    -------
    ndarray of float32, shape (n, side, side, 3)
    """
    joined = np.empty((*features.shape[:3], N_CHANNELS), dtype=np.float32)
    joined[..., :2] = features
    joined[..., 2] = np.log(np.asarray(fwhm) / _TYPICAL_FWHM)[:, None, None]
    return joined
