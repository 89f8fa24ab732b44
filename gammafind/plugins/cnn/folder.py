"""Folders of trained weights of the classifier: those that are given, and those shipped."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from gammafind.errors import WeightsError
from gammafind.networks.weights import ARCHITECTURE, existing_folder
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.sky.bands import Band, same_edges

__all__ = ["read_architecture", "shipped_folder"]

_SHIPPED = Path(__file__).parent / "weights"


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
