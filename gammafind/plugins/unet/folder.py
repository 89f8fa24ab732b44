"""Folders of trained weights, checked before they are used.

A folder holds

- ``architecture.json``: the network, its patches and its calibration; see `Architecture`;
- ``weights.weights.h5``: the weights, for keras on any backend;
- ``network.onnx``: the whole network, for onnxruntime;
- ``card.md``: what it was trained on, and how well it does.
"""

from __future__ import annotations

import warnings
from os import PathLike
from pathlib import Path

from gammafind.errors import MissingFileError, WeightsError
from gammafind.files import check_input, file_checksum
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.networks import Network
from gammafind.sky.patches import Patches

__all__ = [
    "ARCHITECTURE",
    "CARD",
    "ONNX",
    "WEIGHTS",
    "checked_file",
    "read_architecture",
    "read_network",
    "shipped_folder",
]

ARCHITECTURE = "architecture.json"
WEIGHTS = "weights.weights.h5"
ONNX = "network.onnx"
CARD = "card.md"

_SHIPPED = Path(__file__).parent / "weights"


def read_architecture(folder: str | PathLike) -> Architecture:
    """Read what a folder of weights is for.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no architecture in it.
    WeightsError
        If the architecture cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(
            "there is no such folder of weights",
            path=folder,
            remedy=f"It holds {ARCHITECTURE}, {ONNX} and {WEIGHTS}.",
        )
    return Architecture.read(folder / ARCHITECTURE)


def checked_file(folder: str | PathLike, name: str, architecture: Architecture) -> Path:
    """Path of a file that is as it was when the folder was written.

    Raises
    ------
    MissingFileError, TruncatedFileError
        If it is not there, or empty.
    WeightsError
        If it was changed, or does not belong to the architecture.
    """
    path = check_input(Path(folder) / name)
    if architecture.checksums.get(name) != file_checksum(path):
        raise WeightsError(
            "the file is damaged, or belongs to another network",
            path=path,
            remedy=f"Its SHA-256 must be that in {ARCHITECTURE}; write or install it again.",
        )
    return path


def read_network(folder: str | PathLike) -> Network:
    """Read a network with its weights.

    Returns
    -------
    keras.Model

    Raises
    ------
    MissingBackendError
        If no backend of keras is installed.
    MissingFileError, TruncatedFileError, WeightsError
        If a file cannot be used.
    """
    architecture = read_architecture(folder)
    path = checked_file(folder, WEIGHTS, architecture)
    network = architecture.build()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras warns of layers without weights.
            network.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise WeightsError(
            f"the weights do not fit the network {architecture.network} ({error})", path=path
        ) from error
    return network


def shipped_folder(network: str, patches: Patches) -> Path:
    """Folder of the weights that come with the package for such patches.

    Parameters
    ----------
    network : str
    patches : Patches

    Raises
    ------
    WeightsError
        If there are none.
    """
    shipped = {
        path.parent: Architecture.read(path) for path in sorted(_SHIPPED.glob(f"*/{ARCHITECTURE}"))
    }
    for folder, architecture in shipped.items():
        if architecture.network == network and architecture.fits(patches):
            return folder
    bands = ", ".join(band.name for band in patches.bands)
    known = ", ".join(f"{one.network} ({folder.name})" for folder, one in shipped.items())
    raise WeightsError(
        f"no weights of the network {network} are shipped for patches of {bands}, "
        f"{list(patches.n_pixels)} pixels wide",
        remedy="Train some by `gammafind train localiser` and give their folder as the option "
        f"weights. Shipped are {known or 'none'}.",
    )
