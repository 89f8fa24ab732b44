"""What runs a trained network: onnxruntime, or keras on one of its backends."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

import numpy as np

from gammafind.networks import weights
from gammafind.networks.trained import TrainedNetwork
from gammafind.networks.unet import input_name
from gammafind.networks.weights import Runner
from gammafind.plugins.unet.folder import read_network

__all__ = ["BACKENDS", "keras_runner", "onnx_runner"]


def onnx_runner(folder: str | PathLike, architecture: TrainedNetwork) -> Runner:
    """Run the network of a weights folder by onnxruntime, on all cores.

    Raises
    ------
    MissingBackendError
        If onnxruntime is not installed.
    MissingFileError, TruncatedFileError, WeightsError
        If the network cannot be used.
    """
    shapes = {
        input_name(width): (width, width, channels) for width, channels in architecture.shapes
    }
    return weights.onnx_runner(folder, architecture.checksums, shapes)


def keras_runner(folder: str | PathLike, architecture: TrainedNetwork) -> Runner:
    """Run the network of a weights folder by keras.

    Raises
    ------
    MissingBackendError
        If no backend of keras is installed.
    MissingFileError, TruncatedFileError, WeightsError
        If the weights cannot be used.
    """
    network = read_network(folder)
    return lambda inputs: np.asarray(network.predict_on_batch(list(inputs)))


BACKENDS: dict[str, Callable[[str | PathLike, TrainedNetwork], Runner]] = {
    "onnxruntime": onnx_runner,
    "keras": keras_runner,
}
"""Runners by name."""
