"""The networks: from images and numbers to the logarithms of class probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gammafind.errors import OptionError
from gammafind.networks.backend import load_keras
from gammafind.networks.layers import log_softmax

FAKE = "FAKE"
"""Class of detections that are not sources."""
CLASSES = ("BLL", "FSRQ", "PSR", "PWN+SNR", FAKE)
"""Classes in the order of the outputs; FAKE is no source."""
INPUTS = ("images", "numbers", "position")
"""Names of the inputs; see `gammafind.plugins.cnn.features.features`."""

_LEAST_SIDE = 5
"""Least pixels per side of the images of the network ``gammafind``, which crops their centre."""

Tensor = Any
"""Symbolic tensor of keras."""


def paper_network(
    inputs: dict[str, Tensor], filters: Sequence[int] = (32, 64), units: int = 128
) -> Tensor:
    """Convolutions with pooling, position after flattening, softmax.

    Parameters
    ----------
    inputs : dict of str to tensor
    filters : sequence of int
        Of each pair of convolution and pooling.
    units : int
        Of the dense layer.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 4, which does not state the sizes.
    """
    layers = load_keras().layers
    x = inputs["images"]
    for n in filters:
        x = layers.Conv2D(n, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    # Adds nothing of the numbers, and keeps them an input of the exported network.
    none = layers.Rescaling(0.0)(inputs["numbers"])
    x = layers.Concatenate()([layers.Flatten()(x), inputs["position"]])
    x = layers.Dense(units, activation="relu")(x)
    x = layers.Dense(len(CLASSES))(x)
    x = layers.Add()([x, layers.Dense(len(CLASSES), use_bias=False)(none)])
    return log_softmax(x)


def gammafind_network(
    inputs: dict[str, Tensor],
    filters: Sequence[int] = (32, 48),
    units: Sequence[int] = (160, 96),
    dropout: float = 0.2,
) -> Tensor:
    """One encoder of the images, additional numbers, and one decision after the other.

    First whether there is a source, then whether it is in the Galaxy, then which of the two
    classes it has there.

    Parameters
    ----------
    inputs : dict of str to tensor
    filters : sequence of int
        Of the convolutions.
    units : sequence of int
        Of the dense layers.
    dropout : float
        Share of the units that are left out in each step of the training.
    """
    layers = load_keras().layers
    x = inputs["images"]
    if x.shape[1] < _LEAST_SIDE:
        raise OptionError(
            f"the cut-outs are {x.shape[1]} pixels wide",
            remedy=f"The network gammafind needs {_LEAST_SIDE} pixels or more.",
        )
    for n in filters:
        x = layers.Conv2D(n, 3, padding="same", activation="gelu")(x)
    centre = layers.Flatten()(layers.Cropping2D(2)(x))
    x = layers.Concatenate()([centre, layers.GlobalAveragePooling2D()(x)])
    x = layers.Dropout(dropout)(layers.Dense(units[-1], activation="gelu")(x))
    y = layers.Concatenate()([inputs["numbers"], inputs["position"]])
    y = layers.Dense(units[0], activation="gelu")(y)
    x = layers.Concatenate()([x, layers.Dropout(dropout)(y)])
    for n in units:
        x = layers.Dropout(dropout)(layers.Dense(n, activation="gelu")(x))
    return _tree(layers.Dense(4)(x))


NETWORKS: dict[str, Callable[..., Tensor]] = {
    "gammafind": gammafind_network,
    "paper": paper_network,
}
"""Networks by name."""


def _tree(logits: Tensor) -> Tensor:
    """Logarithms of the probabilities of `CLASSES` from the logits of four decisions."""
    from keras import ops

    yes, no = -ops.softplus(-logits), -ops.softplus(logits)
    real, galactic, fsrq, nebula = range(4)
    return ops.stack(
        [
            yes[:, real] + no[:, galactic] + no[:, fsrq],
            yes[:, real] + no[:, galactic] + yes[:, fsrq],
            yes[:, real] + yes[:, galactic] + no[:, nebula],
            yes[:, real] + yes[:, galactic] + yes[:, nebula],
            no[:, real],
        ],
        axis=-1,
    )
