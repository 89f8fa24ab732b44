"""From a trained network to a folder of weights, the same for keras and for onnxruntime."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from gammafind.errors import WeightsError
from gammafind.networks.logits import sigmoid
from gammafind.networks.trained import TrainedNetwork
from gammafind.networks.unet import Network, input_name
from gammafind.networks.weights import ARCHITECTURE, ONNX, write_network
from gammafind.plugins.unet.runners import onnx_runner

__all__ = ["export_network"]

_AGREEMENT = 1e-5
"""Largest difference of the outputs of keras and onnxruntime, as a share of the largest output."""
_SCORE_AGREEMENT = 1e-4
"""Largest difference of their scores, between 0 and 1."""
_COMPARED = 4


def export_network(
    folder: str | PathLike, network: Network, architecture: TrainedNetwork, *, card: str
) -> TrainedNetwork:
    """Write a folder of weights, and compare the scores of keras and of onnxruntime.

    Parameters
    ----------
    folder : path-like
        Made where it does not exist; it must not hold weights already.
    network : keras.Model
        From `Architecture.build`, trained, in keras on torch.
    architecture : TrainedNetwork
    card : str
        Model card, Markdown: data, seeds, hours, metrics.

    Returns
    -------
    TrainedNetwork
        The one that was written, with checksums.

    Raises
    ------
    MissingBackendError
        As `gammafind.networks.weights.check_exporter`.
    OutputError
        If the folder holds weights already or cannot be written.
    WeightsError
        If the two differ by more than 1e-5 of the largest output, or 1e-4 in a score.
    """
    names = [input_name(width) for width, _ in architecture.shapes]
    sample = dict(zip(names, _inputs(architecture, 2), strict=True))
    checksums = write_network(folder, network, sample, card=card)
    folder = Path(folder)
    architecture = replace(architecture, checksums=checksums)
    _compare(folder, network, architecture)
    architecture.write(folder / ARCHITECTURE)
    return architecture


def _compare(folder: Path, network: Network, architecture: TrainedNetwork) -> None:
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


def _inputs(architecture: TrainedNetwork, n: int) -> tuple[np.ndarray, ...]:
    """Features of random counts."""
    rng = np.random.default_rng(0)
    return tuple(
        (2 * np.sqrt(rng.poisson(3.0, (n, width, width, channels)) + 0.375)).astype(np.float32)
        for width, channels in architecture.shapes
    )
