"""Folders of trained weights of the localiser, checked before they are used."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from gammafind.errors import WeightsError
from gammafind.learning.weights import (
    ARCHITECTURE,
    WEIGHTS,
    checked_file,
    existing_folder,
    load_weights,
)
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.networks import Network
from gammafind.sky.patches import Patches

__all__ = ["read_architecture", "read_network", "shipped_folder"]

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
    return Architecture.read(existing_folder(folder) / ARCHITECTURE)


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
    path = checked_file(folder, WEIGHTS, architecture.checksums)
    return load_weights(architecture.build(), path)


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
