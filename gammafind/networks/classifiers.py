"""Classifying networks: their probabilities, and their folders of weights, written and run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from gammafind.errors import OptionError, WeightsError
from gammafind.networks import weights
from gammafind.networks.weights import (
    ARCHITECTURE,
    ONNX,
    WEIGHTS,
    Runner,
    checked_file,
    load_weights,
    write_network,
)

if TYPE_CHECKING:
    import keras

__all__ = [
    "BACKENDS",
    "Architecture",
    "check_probabilities",
    "class_probabilities",
    "export_classifier",
    "in_batches",
]

_AGREEMENT = 1e-3
"""Largest difference of the probabilities of keras and onnxruntime."""
_BATCH = 1024


class Architecture(Protocol):
    """Everything about a trained classifier but its weights, a dataclass."""

    checksums: Mapping[str, str]
    temperature: float

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of each input of the network."""

    def build(self) -> keras.Model:
        """Return the network with random weights."""

    def features(self, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """Return what the network sees of cut-outs."""

    def write(self, path: str | PathLike) -> None:
        """Write as JSON."""


A = TypeVar("A", bound=Architecture)


def class_probabilities(output: np.ndarray, temperature: float) -> np.ndarray:
    """Class probabilities, (n, n_classes), of the logarithms that a network returns.

    Parameters
    ----------
    output : ndarray, shape (n, n_classes)
    temperature : float
        By which they are divided, so that probabilities are true.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599.
    """
    scaled = np.asarray(output, dtype=float) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    return np.exp(scaled) / np.exp(scaled).sum(axis=1, keepdims=True)


def check_probabilities(temperature: float, shares: Sequence[float], n_classes: int) -> None:
    """Refuse a temperature, or shares of classes, that cannot be.

    Raises
    ------
    OptionError
    """
    if not 0 < temperature < np.inf:
        raise OptionError(f"the temperature is {temperature}", remedy="It must be above 0.")
    if len(shares) != n_classes or not all(0 < one <= 1 for one in shares):
        raise OptionError(
            f"the shares of the classes are {list(shares)}",
            remedy=f"Give {n_classes} numbers above 0 and up to 1.",
        )


def in_batches(
    arrays: Mapping[str, np.ndarray], n: int, size: int = _BATCH
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the arrays of n detections, some detections at a time."""
    for start in range(0, n, size):
        yield {name: array[start : start + size] for name, array in arrays.items()}


def onnx_runner(folder: str | PathLike, architecture: Architecture) -> Runner:
    """Run the network of a folder by onnxruntime.

    Raises
    ------
    MissingBackendError
        If onnxruntime is not installed.
    MissingFileError, TruncatedFileError, WeightsError
        If the network cannot be used.
    """
    return weights.onnx_runner(folder, architecture.checksums, architecture.shapes)


def keras_runner(folder: str | PathLike, architecture: Architecture) -> Runner:
    """Run the network of a folder by keras.

    Raises
    ------
    MissingBackendError
        If no backend of keras is installed.
    MissingFileError, TruncatedFileError, WeightsError
        If the weights cannot be used.
    """
    path = checked_file(folder, WEIGHTS, architecture.checksums)
    network = load_weights(architecture.build(), path)
    return lambda inputs: np.asarray(network.predict_on_batch(list(inputs)))


BACKENDS: dict[str, Callable[[str | PathLike, Architecture], Runner]] = {
    "onnxruntime": onnx_runner,
    "keras": keras_runner,
}
"""Runners by name."""


def export_classifier(
    folder: str | PathLike, network: keras.Model, architecture: A, *, card: str
) -> A:
    """Write a folder of weights, and compare keras with onnxruntime.

    Parameters
    ----------
    folder : path-like
        Made where it does not exist; it must not hold weights already.
    network : keras.Model
        From ``architecture.build``, trained, in keras on torch.
    architecture : Architecture
    card : str
        Model card, Markdown.

    Returns
    -------
    Architecture
        The one that was written, with checksums.

    Raises
    ------
    MissingBackendError
        As `gammafind.networks.weights.check_exporter`.
    OutputError
        If the folder holds weights already or cannot be written.
    WeightsError
        If the two differ by more than 0.001 in a probability.
    """
    rng = np.random.default_rng(0)
    sample = {
        name: rng.normal(size=(4, *shape)).astype(np.float32)
        for name, shape in architecture.shapes.items()
    }
    checksums = write_network(folder, network, sample, card=card)
    architecture = replace(architecture, checksums=checksums)
    inputs, temperature = list(sample.values()), architecture.temperature
    theirs = class_probabilities(onnx_runner(folder, architecture)(inputs), temperature)
    ours = class_probabilities(np.asarray(network.predict_on_batch(inputs)), temperature)
    if not np.abs(theirs - ours).max() <= _AGREEMENT:
        raise WeightsError(
            f"onnxruntime and keras differ by {np.abs(theirs - ours).max():.2g}",
            path=Path(folder) / ONNX,
            remedy=f"They must agree to {_AGREEMENT:g}: are the weights finite?",
        )
    architecture.write(Path(folder) / ARCHITECTURE)
    return architecture
