"""Folders of trained weights of any network: written, checked, and run.

A folder holds

- ``architecture.json``: what the network is for; see the plugin that it belongs to;
- ``weights.weights.h5``: the weights, for keras on any backend;
- ``network.onnx``: the whole network, for onnxruntime;
- ``card.md``: what it was trained on, and how well it does.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from astropy.units import Quantity

from gammafind.errors import (
    FileFormatError,
    GammafindError,
    MissingBackendError,
    MissingFileError,
    OutputError,
    WeightsError,
)
from gammafind.networks.backend import load_keras
from gammafind.sky.bands import Band
from gammafind.utils.files import atomic_output, check_input, file_checksum

if TYPE_CHECKING:
    import keras

__all__ = [
    "ARCHITECTURE",
    "CARD",
    "ONNX",
    "WEIGHTS",
    "Runner",
    "check_exporter",
    "checked_file",
    "existing_folder",
    "load_weights",
    "onnx_runner",
    "read_record",
    "write_network",
    "write_record",
]

ARCHITECTURE = "architecture.json"
WEIGHTS = "weights.weights.h5"
ONNX = "network.onnx"
CARD = "card.md"

T = TypeVar("T")

Runner = Callable[[Sequence[np.ndarray]], np.ndarray]
"""From the inputs of a network to its output."""

_OPSET = 17
_FORMAT = 1


def existing_folder(folder: str | PathLike) -> Path:
    """Path of a folder of weights.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(
            "there is no such folder of weights",
            path=folder,
            remedy=f"It holds {ARCHITECTURE}, {ONNX} and {WEIGHTS}.",
        )
    return folder


def checked_file(folder: str | PathLike, name: str, checksums: Mapping[str, str]) -> Path:
    """Path of a file that is as it was when the folder was written.

    Raises
    ------
    MissingFileError, TruncatedFileError
        If it is not there, or empty.
    WeightsError
        If it was changed, or does not belong to the architecture.
    """
    path = check_input(Path(folder) / name)
    if checksums.get(name) != file_checksum(path):
        raise WeightsError(
            "the file is damaged, or belongs to another network",
            path=path,
            remedy=f"Its SHA-256 must be that in {ARCHITECTURE}; write or install it again.",
        )
    return path


def write_record(
    path: str | PathLike, bands: Sequence[Band], record: Mapping[str, Any], *, overwrite: bool
) -> None:
    """Write the architecture of a network as JSON.

    Parameters
    ----------
    path : path-like
    bands : sequence of Band
    record : mapping
        All else.
    overwrite : bool

    Raises
    ------
    OutputError
        As `gammafind.utils.files.check_output`.
    """
    told = [{"name": band.name, "low": str(band.low), "high": str(band.high)} for band in bands]
    whole = {"format": _FORMAT, **record, "bands": told}
    with atomic_output(path, overwrite) as temporary:
        temporary.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")


def read_record(
    path: str | PathLike, make: Callable[[tuple[Band, ...], dict[str, Any]], T], *, what: str
) -> T:
    """Read what `write_record` wrote.

    Parameters
    ----------
    path : path-like
    make : callable
        Makes the architecture of the bands and of all else.
    what : str
        What the file describes, for messages.

    Raises
    ------
    MissingFileError, TruncatedFileError
        If there is no such file, or it is empty.
    WeightsError
        If it is not what `write_record` writes.
    """
    path = check_input(path)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.pop("format") != _FORMAT:
            raise WeightsError("is of another format", path=path)
        bands = tuple(
            Band(one["name"], Quantity(one["low"]), Quantity(one["high"]))
            for one in record.pop("bands")
        )
        return make(bands, record)
    except FileFormatError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, GammafindError) as error:
        raise WeightsError(
            f"does not describe a {what} ({error})",
            path=path,
            remedy=f"It must be the {ARCHITECTURE} of a weights folder.",
        ) from error


def load_weights(network: keras.Model, path: Path) -> keras.Model:
    """Give a network the weights of a file.

    Raises
    ------
    WeightsError
        If they do not fit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras warns of layers without weights.
            network.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise WeightsError(
            f"the weights do not fit the network {network.name} ({error})", path=path
        ) from error
    return network


def onnx_runner(
    folder: str | PathLike, checksums: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
) -> Runner:
    """Run the network of a folder by onnxruntime, on all cores.

    Parameters
    ----------
    folder : path-like
    checksums : mapping of str to str
        Of the architecture.
    shapes : mapping of str to tuple of int
        Name and shape of each input, but for the number of samples, in order.

    Raises
    ------
    MissingBackendError
        If onnxruntime is not installed.
    MissingFileError, TruncatedFileError
        As `checked_file`.
    WeightsError
        If the network was changed, cannot be read, or takes other inputs.
    """
    runtime = _onnxruntime()
    path = checked_file(folder, ONNX, checksums)
    session = _session(runtime, path)
    found = {one.name: tuple(one.shape[1:]) for one in session.get_inputs()}
    if found != dict(shapes):
        raise WeightsError(
            f"the network takes {found}, its architecture says {dict(shapes)}", path=path
        )
    return lambda inputs: session.run(None, dict(zip(shapes, inputs, strict=True)))[0]


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
    if find_spec("onnx") is None:
        raise MissingBackendError(
            "networks are exported by onnx, which is not installed",
            remedy="pip install 'gammafind[train]'",
        )


def write_network(
    folder: str | PathLike, network: keras.Model, sample: Mapping[str, np.ndarray], *, card: str
) -> dict[str, str]:
    """Write the files of a folder of weights, all but the architecture.

    Parameters
    ----------
    folder : path-like
        Made where it does not exist; it must not hold weights already.
    network : keras.Model
        In keras on torch.
    sample : mapping of str to ndarray
        Inputs by name, of two samples or more.
    card : str
        Model card, Markdown: data, seeds, hours, metrics.

    Returns
    -------
    dict of str to str
        SHA-256 of the files by name.

    Raises
    ------
    MissingBackendError
        As `check_exporter`.
    OutputError
        If the folder holds weights already or cannot be written.
    """
    check_exporter()
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError("is a file, not a folder", path=folder)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_output(folder / WEIGHTS) as path:
        network.save_weights(path)
    with atomic_output(folder / ONNX) as path:
        _write_onnx(path, network, sample)
    with atomic_output(folder / CARD) as path:
        path.write_text(card, encoding="utf-8")
    return {name: file_checksum(folder / name) for name in (WEIGHTS, ONNX)}


def _write_onnx(path: Path, network: keras.Model, sample: Mapping[str, np.ndarray]) -> None:
    """Write the network as ONNX, for any number of samples."""
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
