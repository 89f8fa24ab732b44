"""What runs a trained network: onnxruntime, or keras on one of its backends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from gammafind.errors import MissingBackendError, WeightsError
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.folder import ONNX, checked_file, read_network
from gammafind.plugins.unet.networks import input_name

__all__ = ["BACKENDS", "Runner", "keras_runner", "onnx_runner"]

Runner = Callable[[Sequence[np.ndarray]], np.ndarray]
"""From the features of patches to the output of the network; see `build_network`."""


def onnx_runner(folder: str | PathLike, architecture: Architecture) -> Runner:
    """Run the network of a weights folder by onnxruntime, on all cores.

    Raises
    ------
    MissingBackendError
        If onnxruntime is not installed.
    MissingFileError, TruncatedFileError, WeightsError
        If the network cannot be used.
    """
    runtime = _onnxruntime()
    path = checked_file(folder, ONNX, architecture)
    session = _session(runtime, path)
    names = [input_name(width) for width, _ in architecture.shapes]
    found = {one.name: tuple(one.shape[1:]) for one in session.get_inputs()}
    expected = {
        name: (width, width, channels)
        for name, (width, channels) in zip(names, architecture.shapes, strict=True)
    }
    if found != expected:
        raise WeightsError(
            f"the network takes {found}, its architecture says {expected}", path=path
        )
    return lambda inputs: session.run(None, dict(zip(names, inputs, strict=True)))[0]


def keras_runner(folder: str | PathLike, architecture: Architecture) -> Runner:
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


BACKENDS: dict[str, Callable[[str | PathLike, Architecture], Runner]] = {
    "onnxruntime": onnx_runner,
    "keras": keras_runner,
}
"""Runners by name."""


def _onnxruntime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingBackendError(
            f"onnxruntime cannot be imported ({error})",
            remedy="pip install onnxruntime, or use the backend keras.",
        ) from error
    return onnxruntime


def _session(runtime: ModuleType, path: Path) -> Any:
    """Session of onnxruntime, whose errors have no common class but Exception."""
    try:
        return runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise WeightsError(f"onnxruntime cannot read the network ({error})", path=path) from error
