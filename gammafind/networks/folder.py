"""Folders of trained networks: written, checked, chosen and run. All networks have the same.

A folder holds

- ``architecture.json``: what the network is for, and what its output means; see the plugin that it
  belongs to;
- ``network.onnx``: layers and weights, for onnxruntime; keras reads its weights from it;
- ``card.md``: what it was trained on, and how well it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from gammafind.errors import MissingFileError, OutputError, WeightsError
from gammafind.networks.onnx_file import check_exporter, onnx_session, read_weights, write_onnx
from gammafind.networks.trained import ARCHITECTURE, TrainedNetwork
from gammafind.utils.files import atomic_output, check_input, file_checksum
from gammafind.utils.workers import in_threads

if TYPE_CHECKING:
    import keras


ONNX = "network.onnx"
CARD = "card.md"

_AGREEMENT = 1e-5
"""Largest difference of the outputs of keras and onnxruntime, as a share of the largest output:
what 32 bits leave after some twenty layers."""
_PROBABILITY_AGREEMENT = 1e-4
"""Largest difference of the probabilities: below all that is published."""
_AT_ONCE = 4
"""Samples that a core takes at once: their layers fit into its cache."""
_COMPARED = 4
"""Samples on which the two are compared."""

Network = TypeVar("Network", bound=TrainedNetwork)

Runner = Callable[[Sequence[np.ndarray]], np.ndarray]
"""From the inputs of a network to its output."""


def read_architecture(folder: str | PathLike, kind: type[Network]) -> Network:
    """Read what a folder of weights is for.

    Parameters
    ----------
    folder : path-like
    kind : type of TrainedNetwork
        What it must hold.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no architecture in it.
    WeightsError
        If the architecture cannot be read, or is that of a network for something else.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(
            "there is no such folder of weights",
            path=folder,
            remedy=f"It holds {ARCHITECTURE} and {ONNX}.",
        )
    return kind.read(folder / ARCHITECTURE)


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


def read_network(folder: str | PathLike, architecture: TrainedNetwork) -> keras.Model:
    """Read a network with its weights for keras, on any backend.

    Parameters
    ----------
    folder : path-like
    architecture : TrainedNetwork
        Of the folder.

    Raises
    ------
    MissingBackendError
        If no backend of keras or no onnx is installed.
    MissingFileError, TruncatedFileError, WeightsError
        If the weights cannot be used.
    """
    path = checked_file(folder, ONNX, architecture.checksums)
    network, weights = architecture.build(), read_weights(path)
    if [array.shape for array in weights] != [tuple(one.shape) for one in network.weights]:
        raise WeightsError(f"the weights do not fit the network {network.name}", path=path)
    network.set_weights(weights)
    return network


def keras_runner(folder: str | PathLike, architecture: TrainedNetwork) -> Runner:
    """Run the network of a folder by keras; errors as of `read_network`."""
    network = read_network(folder, architecture)
    return lambda inputs: np.asarray(network.predict_on_batch(list(inputs)))


def onnx_runner(folder: str | PathLike, architecture: TrainedNetwork) -> Runner:
    """Run the network of a folder by onnxruntime, on all cores.

    Parameters
    ----------
    folder : path-like
    architecture : TrainedNetwork
        Of the folder.

    Raises
    ------
    MissingBackendError
        If onnxruntime is not installed.
    MissingFileError, TruncatedFileError
        As `checked_file`.
    WeightsError
        If the network was changed, cannot be read, or takes other inputs.
    """
    path = checked_file(folder, ONNX, architecture.checksums)
    session, shapes = onnx_session(path), architecture.shapes
    found = {one.name: tuple(one.shape[1:]) for one in session.get_inputs()}
    if found != shapes:
        raise WeightsError(f"the network takes {found}, its architecture says {shapes}", path=path)

    def of_some(part: list[np.ndarray]) -> np.ndarray:
        return session.run(None, dict(zip(shapes, part, strict=True)))[0]

    def run(inputs: Sequence[np.ndarray]) -> np.ndarray:
        starts = range(0, max(len(inputs[0]), 1), _AT_ONCE)
        parts = [[array[start : start + _AT_ONCE] for array in inputs] for start in starts]
        return np.concatenate(list(in_threads(of_some, parts)))

    return run


BACKENDS: dict[str, Callable[[str | PathLike, TrainedNetwork], Runner]] = {
    "onnxruntime": onnx_runner,
    "keras": keras_runner,
}
"""Runners by name."""


def export_network(
    folder: str | PathLike, network: keras.Model, architecture: Network, *, card: str
) -> Network:
    """Write a folder of weights, and compare keras with onnxruntime.

    Parameters
    ----------
    folder : path-like
        Made where it does not exist; it must not hold weights already.
    network : keras.Model
        From ``architecture.build``, trained, in keras on torch.
    architecture : TrainedNetwork
        A localiser refuses it without its calibration. Where this is learned from the weights
        themselves, write the architecture again, with it.
    card : str
        Model card, Markdown: data, seeds, hours, metrics.

    Returns
    -------
    TrainedNetwork
        The one that was written, with checksums.

    Raises
    ------
    MissingBackendError
        As `gammafind.networks.onnx_file.check_exporter`.
    OutputError
        If the folder holds weights already or cannot be written.
    WeightsError
        If the two differ by more than 1e-5 of the largest output, or 1e-4 in a probability.
    """
    check_exporter()
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError("is a file, not a folder", path=folder)
    folder.mkdir(parents=True, exist_ok=True)
    sample = _sample(architecture)
    with atomic_output(folder / ONNX) as path:
        write_onnx(path, network, sample)
    with atomic_output(folder / CARD) as path:
        path.write_text(card, encoding="utf-8")
    architecture = replace(architecture, checksums={ONNX: file_checksum(folder / ONNX)})
    _compare(folder, network, architecture, list(sample.values()))
    architecture.write(folder / ARCHITECTURE)
    return architecture


def shipped_networks(folder: Path, kind: type[Network]) -> dict[Path, Network]:
    """Networks in the folders of a folder, as plugins ship them."""
    paths = sorted(folder.glob(f"*/{ARCHITECTURE}"))
    return {path.parent: kind.read(path) for path in paths}


def best_fit(
    shipped: Mapping[Path, Network], fits: Callable[[Network], bool], *, wanted: str
) -> Path:
    """Folder of the first network that fits.

    Parameters
    ----------
    shipped : mapping of Path to TrainedNetwork
    fits : callable
    wanted : str
        What it should be for, for the message: ``of the network paper ... for patches of ...``.

    Raises
    ------
    WeightsError
        If none does.
    """
    for folder, one in shipped.items():
        if fits(one):
            return folder
    known = ", ".join(f"{one.network} ({folder.name})" for folder, one in shipped.items())
    raise WeightsError(
        f"no weights {wanted}",
        remedy="Train some by `gammafind train` and give their folder as the option weights. "
        f"Shipped are {known or 'none'}.",
    )


def _sample(architecture: TrainedNetwork) -> dict[str, np.ndarray]:
    """Random inputs of a network, by name."""
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(size=(_COMPARED, *shape)).astype(np.float32)
        for name, shape in architecture.shapes.items()
    }


def _compare(
    folder: Path, network: keras.Model, architecture: TrainedNetwork, inputs: list[np.ndarray]
) -> None:
    """Refuse a file whose outputs are not those of the network."""
    theirs = onnx_runner(folder, architecture)(inputs)
    ours = np.asarray(network.predict_on_batch(inputs))
    output = np.abs(theirs - ours).max() / max(np.abs(ours).max(), 1)
    probability = np.abs(architecture.probability(theirs) - architecture.probability(ours)).max()
    if not (output <= _AGREEMENT and probability <= _PROBABILITY_AGREEMENT):
        raise WeightsError(
            f"onnxruntime and keras differ by {output:.2g} of the largest output and by "
            f"{probability:.2g} in a probability",
            path=folder / ONNX,
            remedy=f"They must agree to {_AGREEMENT:g} and {_PROBABILITY_AGREEMENT:g}: are the "
            "weights finite?",
        )
