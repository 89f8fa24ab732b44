"""A network in one ONNX file: run by onnxruntime, and the place of its weights for keras.

The exporter folds what it can, transposes kernels and names tensors as it likes. So the file also
says, in its metadata, which of its tensors each weight of keras is; a weight that is none of them
is stored in the metadata.
"""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from gammafind.errors import MissingBackendError, WeightsError
from gammafind.networks.backend import load_keras

if TYPE_CHECKING:
    import keras


_OPSET = 17
_WEIGHTS = "gammafind_weights"
"""Key of the metadata."""


def check_exporter() -> None:
    """Make sure that networks can be exported.

    Raises
    ------
    MissingBackendError
        If keras does not run on torch, from which alone ONNX is written, or onnx is not installed.
    """
    if (backend := load_keras().backend.backend()) != "torch":
        raise MissingBackendError(
            f"networks are exported by keras on torch, not on {backend}",
            remedy="Set KERAS_BACKEND=torch.",
        )
    _onnx()


def write_onnx(path: Path, network: keras.Model, sample: Mapping[str, np.ndarray]) -> None:
    """Write a network, for any number of samples.

    Parameters
    ----------
    path : Path
    network : keras.Model
        In keras on torch.
    sample : mapping of str to ndarray
        Inputs by name, of two samples or more.

    Raises
    ------
    MissingBackendError
        As `check_exporter`.
    """
    check_exporter()
    _export(path, network, sample)
    _note_weights(path, [np.asarray(array, dtype=np.float32) for array in network.get_weights()])


def read_weights(path: Path) -> list[np.ndarray]:
    """Weights of the network that was written, in the order of keras, to the bit.

    Raises
    ------
    MissingBackendError
        If onnx is not installed.
    WeightsError
        If the file is no network, or does not say which of its tensors are the weights.
    """
    onnx = _onnx()
    try:
        model = onnx.load(path)
        notes = json.loads({one.key: one.value for one in model.metadata_props}[_WEIGHTS])
        tensors = {one.name: one for one in model.graph.initializer}
        return [_weight(note, tensors, onnx.numpy_helper.to_array) for note in notes]
    except Exception as error:  # Protobuf's errors have no common class but Exception.
        raise WeightsError(
            f"holds no weights that keras can read ({error!r})",
            path=path,
            remedy="Run it by onnxruntime, or export the network again.",
        ) from error


def onnx_session(path: Path) -> Any:
    """Session of onnxruntime, on one core: several runs at a time take the others.

    Raises
    ------
    MissingBackendError
        If onnxruntime is not installed.
    WeightsError
        If the file is no network.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingBackendError(
            f"onnxruntime cannot be imported ({error})",
            remedy="pip install onnxruntime, or use the backend keras.",
        ) from error
    options = onnxruntime.SessionOptions()
    # Threads of one run wait for each other, and an arena keeps the most that was ever needed.
    options.intra_op_num_threads, options.enable_cpu_mem_arena = 1, False
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # Its errors have no common class but Exception.
        raise WeightsError(f"onnxruntime cannot read the network ({error})", path=path) from error


def _onnx() -> ModuleType:
    try:
        import onnx
    except ImportError as error:
        raise MissingBackendError(
            f"weights are written and read for keras by onnx, which is not installed ({error})",
            remedy="pip install 'gammafind[train]'",
        ) from error
    return onnx


def _export(path: Path, network: keras.Model, sample: Mapping[str, np.ndarray]) -> None:
    import torch

    class Positional(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.network(list(inputs), training=False)

    keras = load_keras()
    tensors = tuple(keras.ops.convert_to_tensor(array) for array in sample.values())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Positional().eval(),
            tensors,
            str(path),
            input_names=list(sample),
            output_names=["output"],
            dynamic_axes={name: {0: "patches"} for name in (*sample, "output")},
            opset_version=_OPSET,
            dynamo=False,
        )


def _note_weights(path: Path, weights: Sequence[np.ndarray]) -> None:
    """Say in the metadata of a file where it holds these weights."""
    onnx = _onnx()
    model = onnx.load(path)
    names = {
        onnx.numpy_helper.to_array(one).tobytes(): one.name
        for one in model.graph.initializer
        if one.data_type == onnx.TensorProto.FLOAT
    }
    notes = []
    for weight in weights:
        content = _channels_first(weight).tobytes()
        name = names.get(content)
        place = {"values": base64.b64encode(content).decode()} if name is None else {"tensor": name}
        notes.append({"shape": weight.shape, **place})
    onnx.helper.set_model_props(model, {_WEIGHTS: json.dumps(notes)})
    onnx.save(model, path)


def _weight(note: Mapping[str, Any], tensors: Mapping[str, Any], to_array: Any) -> np.ndarray:
    """One weight, of what the metadata say of it."""
    if "tensor" in note:
        values = to_array(tensors[note["tensor"]]).ravel()
    else:
        values = np.frombuffer(base64.b64decode(note["values"]), dtype=np.float32)
    shape = tuple(note["shape"])
    if len(shape) != 4:
        return values.reshape(shape)
    height, width, n_in, n_out = shape
    return values.reshape(n_out, n_in, height, width).transpose(2, 3, 1, 0)


def _channels_first(weight: np.ndarray) -> np.ndarray:
    """Kernel of a convolution as torch and ONNX hold it; all else as it is."""
    return weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight
