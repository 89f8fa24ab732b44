"""Folders of trained weights of the classifier: written, checked, and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np

from gammafind.errors import WeightsError
from gammafind.learning import weights
from gammafind.learning.weights import (
    ARCHITECTURE,
    ONNX,
    WEIGHTS,
    Runner,
    checked_file,
    existing_folder,
    load_weights,
    write_network,
)
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.plugins.cnn.networks import Network
from gammafind.sky.bands import Band, same_edges

__all__ = ["BACKENDS", "export_classifier", "read_architecture", "shipped_folder"]

_SHIPPED = Path(__file__).parent / "weights"
_AGREEMENT = 1e-3
"""Largest difference of the probabilities of keras and onnxruntime."""


def read_architecture(folder: str | PathLike) -> CnnArchitecture:
    """Read what a folder of weights is for.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no architecture in it.
    WeightsError
        If the architecture cannot be read.
    """
    return CnnArchitecture.read(existing_folder(folder) / ARCHITECTURE)


def onnx_runner(folder: str | PathLike, architecture: CnnArchitecture) -> Runner:
    """Run the network of a folder by onnxruntime.

    Raises
    ------
    MissingBackendError
        If onnxruntime is not installed.
    MissingFileError, TruncatedFileError, WeightsError
        If the network cannot be used.
    """
    return weights.onnx_runner(folder, architecture.checksums, architecture.shapes)


def keras_runner(folder: str | PathLike, architecture: CnnArchitecture) -> Runner:
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


BACKENDS: dict[str, Callable[[str | PathLike, CnnArchitecture], Runner]] = {
    "onnxruntime": onnx_runner,
    "keras": keras_runner,
}
"""Runners by name."""


def export_classifier(
    folder: str | PathLike, network: Network, architecture: CnnArchitecture, *, card: str
) -> CnnArchitecture:
    """Write a folder of weights, and compare keras with onnxruntime.

    Parameters
    ----------
    folder : path-like
        Made where it does not exist; it must not hold weights already.
    network : keras.Model
        From `CnnArchitecture.build`, trained, in keras on torch.
    architecture : CnnArchitecture
    card : str
        Model card, Markdown.

    Returns
    -------
    CnnArchitecture
        The one that was written, with checksums.

    Raises
    ------
    MissingBackendError
        As `gammafind.learning.weights.check_exporter`.
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
    inputs = list(sample.values())
    theirs = architecture.probability(onnx_runner(folder, architecture)(inputs))
    ours = architecture.probability(np.asarray(network.predict_on_batch(inputs)))
    if not np.abs(theirs - ours).max() <= _AGREEMENT:
        raise WeightsError(
            f"onnxruntime and keras differ by {np.abs(theirs - ours).max():.2g}",
            path=Path(folder) / ONNX,
            remedy=f"They must agree to {_AGREEMENT:g}: are the weights finite?",
        )
    architecture.write(Path(folder) / ARCHITECTURE)
    return architecture


def shipped_folder(network: str, bands: Sequence[Band] | int, *, n_epochs: int) -> Path:
    """Folder of the weights that come with the package.

    Parameters
    ----------
    network : str
    bands : sequence of Band or int
        Bands, or their number.
    n_epochs : int
        Epochs of which there are counts; 0 for none. Where there are no weights that look at
        them, those are taken that look at none.

    Raises
    ------
    WeightsError
        If there are none for these bands.
    """
    shipped = {
        path.parent: CnnArchitecture.read(path)
        for path in sorted(_SHIPPED.glob(f"*/{ARCHITECTURE}"))
    }
    fitting = {
        one.n_epochs: folder
        for folder, one in shipped.items()
        if one.network == network and one.time != "shuffled" and _fits(one.bands, bands)
    }
    for wanted in (n_epochs, 0):
        if wanted in fitting:
            return fitting[wanted]
    told = f"{bands} bands" if isinstance(bands, int) else ", ".join(b.name for b in bands)
    known = ", ".join(
        f"{one.network} ({folder.name}, {one.n_epochs or 'no'} epochs)"
        for folder, one in shipped.items()
    )
    raise WeightsError(
        f"no weights of the classifier {network} are shipped for {told} and "
        f"{n_epochs or 'no'} epochs",
        remedy="Train some by `gammafind train classifier` and give their folder as the option "
        f"weights. Shipped are {known or 'none'}.",
    )


def _fits(ours: Sequence[Band], theirs: Sequence[Band] | int) -> bool:
    return len(ours) == theirs if isinstance(theirs, int) else same_edges(ours, theirs)
