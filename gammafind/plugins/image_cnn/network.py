"""The network: from stamps and numbers to the logarithms of class probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gammafind.errors import OptionError
from gammafind.networks.backend import load_keras
from gammafind.networks.layers import log_softmax
from gammafind.plugins.image_cnn.features import N_CHANNELS, N_NUMBERS

REAL = ("star", "galaxy")
BOGUS = ("cosmic-ray", "hot-pixel", "trail", "bleed", "nothing")
"""What is no source; ``nothing`` is a peak of the noise, or a part of a source."""
CLASSES = (*REAL, *BOGUS)
"""Classes in the order of the outputs."""
_LEAST_SIDE = 3
"""Pixels a side of the middle of a stamp, after all convolutions."""


def input_shapes(n_pixels: int, *, scores: bool = False) -> dict[str, tuple[int, ...]]:
    """Name and shape of each input, for stamps of a side, with or without scores."""
    return {"images": (n_pixels, n_pixels, N_CHANNELS), "numbers": (N_NUMBERS + scores,)}


def stamps_network(
    inputs: dict[str, Any],
    filters: Sequence[int] = (16, 24, 40),
    units: int = 64,
    dropout: float = 0.1,
) -> Any:
    """Convolutions in which every second layer halves the image, and one decision after the other.

    First whether there is a source, then which; or what it is otherwise.

    Parameters
    ----------
    inputs : dict of str to tensor
    filters : sequence of int
        Of the convolutions at each size of the image.
    units : int
        Of the dense layers.
    dropout : float
        Share of the units that are left out in each step of the training.

    References
    ----------
    Hosenie et al. 2021, doi:10.1007/s10686-021-09757-1 (MeerCRAB: real or bogus on stamps).
    """
    layers = load_keras().layers
    x = inputs["images"]
    for i, n in enumerate(filters):
        x = layers.Conv2D(n, 3, strides=2 if i else 1, padding="same", activation="relu")(x)
        x = layers.Conv2D(n, 3, padding="same", activation="relu")(x) if i else x
    if x.shape[1] < _LEAST_SIDE:
        raise OptionError(
            f"stamps of {inputs['images'].shape[1]} pixels a side are {x.shape[1]} wide at the end",
            remedy=f"Take wider ones, or fewer filters: {_LEAST_SIDE} pixels must be left.",
        )
    middle = layers.Cropping2D((x.shape[1] - _LEAST_SIDE) // 2)(x)
    x = layers.Concatenate()([layers.Flatten()(middle), layers.GlobalAveragePooling2D()(x)])
    x = layers.Dense(units, activation="relu")(layers.Dropout(dropout)(x))
    y = layers.Dense(max(units // 2, 1), activation="relu")(inputs["numbers"])
    x = layers.Dense(units, activation="relu")(layers.Concatenate()([x, y]))
    return _tree(layers.Dense(1 + len(CLASSES))(layers.Dropout(dropout)(x)))


NETWORKS = {"stamps": stamps_network}
"""Networks by name."""


def _tree(logits: Any) -> Any:
    """Logarithms of the probabilities of `CLASSES`: of being real, times those among its kind."""
    from keras import ops

    real, first = logits[:, :1], 1 + len(REAL)
    return ops.concatenate(
        [
            log_softmax(logits[:, 1:first]) - ops.softplus(-real),
            log_softmax(logits[:, first:]) - ops.softplus(real),
        ],
        axis=-1,
    )
