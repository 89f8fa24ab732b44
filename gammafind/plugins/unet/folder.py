"""Folders of trained weights of the localiser, checked before they are used."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from gammafind.errors import WeightsError
from gammafind.networks.unet import Network
from gammafind.networks.weights import (
    ARCHITECTURE,
    WEIGHTS,
    checked_file,
    existing_folder,
    load_weights,
    read_record,
)
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.tile_architecture import TileArchitecture
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.patches import Patches

__all__ = [
    "read_architecture",
    "read_network",
    "shipped_folder",
    "shipped_tile_folder",
    "shipped_widths",
]

Trained = Architecture | TileArchitecture

_SHIPPED = Path(__file__).parent / "weights"


def read_architecture(folder: str | PathLike) -> Trained:
    """Read what a folder of weights is for: patches, or tiles of images.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no architecture in it.
    WeightsError
        If the architecture cannot be read.
    """
    return read_record(existing_folder(folder) / ARCHITECTURE, _of_record, what="network")


def _of_record(bands: tuple[Band, ...], record: dict[str, Any]) -> Trained:
    tiles = record.get("sees") == TileArchitecture.sees
    return (TileArchitecture if tiles else Architecture).of_record(bands, record)


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
    shipped = _shipped(Architecture)
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


def shipped_widths(network: str, bands: Sequence[Band]) -> tuple[int, ...]:
    """Pixels a side of the patches for which weights come with the package, () if none do.

    Parameters
    ----------
    network : str
    bands : sequence of Band
    """
    known = (one for one in _shipped(Architecture).values() if one.network == network)
    return next((one.widths for one in known if same_edges(one.bands, bands)), ())


def shipped_tile_folder(network: str) -> Path:
    """Folder of the weights that come with the package for tiles of images.

    Raises
    ------
    WeightsError
        If there are none.
    """
    for folder, architecture in _shipped(TileArchitecture).items():
        if architecture.network == network:
            return folder
    raise WeightsError(
        f"no weights of the network {network} are shipped for images",
        remedy="Train some by `gammafind train localiser` and give their folder as the option "
        "weights.",
    )


def _shipped(kind: type[Trained]) -> dict[Path, Trained]:
    """Networks of a kind that come with the package, by their folders."""
    folders = (path.parent for path in sorted(_SHIPPED.glob(f"*/{ARCHITECTURE}")))
    read = {folder: read_architecture(folder) for folder in folders}
    return {folder: one for folder, one in read.items() if isinstance(one, kind)}
