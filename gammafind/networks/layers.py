"""What several networks have: options, standardised inputs, logarithms of probabilities."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.backend import load_keras
from gammafind.utils.kinds import annotated_kind, convert

if TYPE_CHECKING:
    import keras


_LEAST_STD = 1e-3
_STANDARD = "standard_{}"


def check_network(name: str, networks: Mapping[str, Callable], options: Mapping[str, Any]) -> None:
    """Refuse networks and options that there are not, and values that an option cannot have.

    Parameters
    ----------
    name : str
    networks : mapping of str to callable
        Networks by name; their inputs have no default, their options have one. Whole numbers are
        sizes of layers, and other numbers are shares.
    options : mapping of str to object

    Raises
    ------
    OptionError
    """
    if name not in networks:
        raise OptionError(
            f"there is no network {name!r}", remedy=f"Known are {', '.join(networks)}."
        )
    parameters = inspect.signature(networks[name]).parameters.values()
    known = {one.name: one.annotation for one in parameters if one.default is not one.empty}
    unknown = [option for option in options if option not in known]
    if unknown:
        raise OptionError(
            f"the network {name} has no option {', '.join(unknown)}",
            remedy=f"It accepts {', '.join(known)}.",
        )
    for option, value in options.items():
        what = f"the option {option} of the network {name}"
        kind = annotated_kind(known[option], networks[name].__module__)
        _check_range(convert(value, kind, what), what)


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


def build_network(
    name: str,
    networks: Mapping[str, Callable],
    shapes: Mapping[str, tuple[int, ...]],
    options: Mapping[str, Any],
) -> keras.Model:
    """Build a network with random weights.

    Parameters
    ----------
    name : str
    networks : mapping of str to callable
        As for `check_network`; each makes the output of what `standardised_inputs` shows it.
    shapes : mapping of str to tuple of int
        Name and shape of each input. All are inputs of the network, also those that it ignores.
    options : mapping of str to object

    Raises
    ------
    MissingBackendError
        If no backend of keras is installed.
    OptionError
        As `check_network`, or if the inputs are too small.
    """
    check_network(name, networks, options)
    inputs, seen = standardised_inputs(shapes)
    output = networks[name](seen, **options)
    return load_keras().Model(list(inputs.values()), output, name=name)


def log_softmax(logits: Any) -> Any:
    """Logarithms of the probabilities of logits, along the last axis."""
    from keras import ops

    shifted = logits - ops.max(logits, axis=-1, keepdims=True)
    return shifted - ops.log(ops.sum(ops.exp(shifted), axis=-1, keepdims=True))


def _check_range(value: Any, what: str) -> None:
    """Refuse sizes of layers below 1, no sizes at all, and shares outside 0 to 1."""
    if isinstance(value, float) and not 0 <= value < 1:
        raise OptionError(f"{what} is {value}", remedy="It must be 0 or more and below 1.")
    sizes = value if isinstance(value, tuple) else (value,)
    if not sizes or any(type(size) is int and size < 1 for size in sizes):
        shown = list(value) if isinstance(value, tuple) else value
        raise OptionError(f"{what} is {shown}", remedy="Sizes of layers are whole numbers above 0.")


def _standardised(key: str, tensor: Any) -> Any:
    return load_keras().layers.BatchNormalization(
        center=False,
        scale=False,
        epsilon=0.0,
        trainable=False,
        name=_STANDARD.format(key),
        dtype="float32",
    )(tensor)
