"""What several networks have: options, standardised inputs, logarithms of probabilities."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gammafind.errors import OptionError
from gammafind.learning.backend import load_keras

if TYPE_CHECKING:
    import keras

__all__ = ["check_network", "log_softmax", "standardise", "standardised_inputs"]

_LEAST_STD = 1e-3
_STANDARD = "standard_{}"


def check_network(name: str, networks: Mapping[str, Callable], options: Iterable[str]) -> None:
    """Refuse networks and options that there are not.

    Parameters
    ----------
    name : str
    networks : mapping of str to callable
        Networks by name; their inputs have no default, their options have one.
    options : iterable of str
        Names of options.

    Raises
    ------
    OptionError
    """
    if name not in networks:
        raise OptionError(
            f"there is no network {name!r}", remedy=f"Known are {', '.join(networks)}."
        )
    parameters = inspect.signature(networks[name]).parameters.values()
    known = [one.name for one in parameters if one.default is not one.empty]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise OptionError(
            f"the network {name} has no option {', '.join(unknown)}",
            remedy=f"It accepts {', '.join(known)}.",
        )


def standardised_inputs(
    shapes: Mapping[str, tuple[int, ...]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs of a network, and what it sees of them: each channel as `standardise` says.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Name and shape of each input, but for the number of samples.

    Returns
    -------
    inputs, seen : dict of str to tensor
    """
    keras = load_keras()
    inputs = {key: keras.Input(shape, name=key, dtype="float32") for key, shape in shapes.items()}
    return inputs, {key: _standardised(key, tensor) for key, tensor in inputs.items()}


def standardise(network: keras.Model, inputs: Mapping[str, np.ndarray]) -> None:
    """Let a network see each channel with mean 0 and standard deviation 1, from now on.

    Parameters
    ----------
    network : keras.Model
        Made of `standardised_inputs`; the numbers become a part of its weights.
    inputs : mapping of str to ndarray
        Features of many detections by the name of the input.
    """
    for key, array in inputs.items():
        layer = network.get_layer(_STANDARD.format(key))
        axes = tuple(range(array.ndim - 1))
        layer.moving_mean.assign(array.mean(axis=axes, dtype=float))
        layer.moving_variance.assign(np.maximum(array.var(axis=axes, dtype=float), _LEAST_STD**2))


def log_softmax(logits: Any) -> Any:
    """Logarithms of the probabilities of logits, along the last axis."""
    from keras import ops

    shifted = logits - ops.max(logits, axis=-1, keepdims=True)
    return shifted - ops.log(ops.sum(ops.exp(shifted), axis=-1, keepdims=True))


def _standardised(key: str, tensor: Any) -> Any:
    return load_keras().layers.BatchNormalization(
        center=False,
        scale=False,
        epsilon=0.0,
        trainable=False,
        name=_STANDARD.format(key),
        dtype="float32",
    )(tensor)
