"""From a trained network to a folder of weights, the same for keras and for onnxruntime."""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib.util import find_spec
from os import PathLike
from pathlib import Path

import numpy as np

from gammafind.errors import MissingBackendError, OutputError, WeightsError
from gammafind.files import atomic_output, file_checksum
from gammafind.learning.backend import load_keras
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.folder import ARCHITECTURE, CARD, ONNX, WEIGHTS
from gammafind.plugins.unet.networks import Network, input_name
from gammafind.plugins.unet.peaks import sigmoid
from gammafind.plugins.unet.runners import onnx_runner

__all__ = ["check_exporter", "export_network"]

_AGREEMENT = 1e-5
"""Largest difference of the outputs of keras and onnxruntime, as a share of the largest output."""
_SCORE_AGREEMENT = 1e-4
"""Largest difference of their scores, between 0 and 1."""
_OPSET = 17
_COMPARED = 4


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
            remedy="pip install 'gammafind[onnx]'",
        )


def export_network(
    folder: str | PathLike, network: Network, architecture: Architecture, *, card: str
) -> Architecture:
    """Write a folder of weights, and compare the scores of keras and of onnxruntime.

    Parameters
    ----------
    folder : path-like
        Made where it does not exist; it must not hold weights already.
    network : keras.Model
        From `Architecture.build`, trained, in keras on torch.
    architecture : Architecture
    card : str
        Model card, Markdown: data, seeds, hours, metrics.

    Returns
    -------
    Architecture
        The one that was written, with checksums.

    Raises
    ------
    MissingBackendError
        As `check_exporter`.
    OutputError
        If the folder holds weights already or cannot be written.
    WeightsError
        If the two differ by more than 1e-5 of the largest output, or 1e-4 in a score.
    """
    check_exporter()
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError("is a file, not a folder", path=folder)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_output(folder / WEIGHTS) as path:
        network.save_weights(path)
    with atomic_output(folder / ONNX) as path:
        _write_onnx(path, network, architecture)
    with atomic_output(folder / CARD) as path:
        path.write_text(card, encoding="utf-8")
    checksums = {name: file_checksum(folder / name) for name in (WEIGHTS, ONNX)}
    architecture = replace(architecture, checksums=checksums)
    _compare(folder, network, architecture)
    architecture.write(folder / ARCHITECTURE)
    return architecture


def _write_onnx(path: Path, network: Network, architecture: Architecture) -> None:
    """Write the network as ONNX, for any number of patches."""
    import torch

    class Positional(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.network(list(inputs), training=False)

    keras = load_keras()
    sample = tuple(keras.ops.convert_to_tensor(a) for a in _inputs(architecture, 2))
    names = [input_name(width) for width, _ in architecture.shapes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Positional().eval(),
            sample,
            str(path),
            input_names=names,
            output_names=["output"],
            dynamic_axes={name: {0: "patches"} for name in (*names, "output")},
            opset_version=_OPSET,
            dynamo=False,
        )


def _compare(folder: Path, network: Network, architecture: Architecture) -> None:
    """Refuse a network whose outputs are not those of keras."""
    inputs = _inputs(architecture, _COMPARED)
    theirs = onnx_runner(folder, architecture)(inputs)
    ours = np.asarray(network.predict_on_batch(list(inputs)))
    output = np.abs(theirs - ours).max() / max(np.abs(ours).max(), 1)
    score = np.abs(sigmoid(theirs[..., 0]) - sigmoid(ours[..., 0])).max()
    if not (output <= _AGREEMENT and score <= _SCORE_AGREEMENT):
        raise WeightsError(
            f"onnxruntime and keras differ by {output:.2g} of the largest output and by "
            f"{score:.2g} in a score",
            path=folder / ONNX,
            remedy=f"They must agree to {_AGREEMENT:g} and {_SCORE_AGREEMENT:g}: are the weights "
            "finite?",
        )


def _inputs(architecture: Architecture, n: int) -> tuple[np.ndarray, ...]:
    """Features of random counts."""
    rng = np.random.default_rng(0)
    return tuple(
        (2 * np.sqrt(rng.poisson(3.0, (n, width, width, channels)) + 0.375)).astype(np.float32)
        for width, channels in architecture.shapes
    )
