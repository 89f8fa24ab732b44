"""A network of known weights for tiles of images."""

from __future__ import annotations

import numpy as np

from gammafind.networks.calibration import Calibration
from gammafind.plugins.image_unet.architecture import TileArchitecture
from tests.fitting.images import BAND
from tests.plugins.unet.helpers import LOG_ERROR, torch_keras

TILES = TileArchitecture(
    network="gammafind",
    bands=BAND,
    side=64,
    fwhm=(2.0, 8.0),
    options={"filters": [2], "working_width": 64},
    calibration=Calibration(),
)
"""For tiles of images."""


def passing_filter():
    """Network for `TILES` whose score rises with the matched filter, above a ratio of 6."""
    torch_keras()
    network = TILES.build()
    convolutions = (layer for layer in network.layers if "Conv2D" in type(layer).__name__)
    first, second, heads = convolutions
    for layer, channel in ((first, 1), (second, 0)):
        weights = np.zeros(layer.kernel.shape)
        weights[1, 1, channel, 0] = 1.0
        layer.set_weights([weights, np.zeros(layer.bias.shape)])
    weights = np.zeros(heads.kernel.shape)
    weights[0, 0, 0, 0] = 2.0
    heads.set_weights([weights, np.array([-9.6, 0.0, 0.0, LOG_ERROR])])
    return network
