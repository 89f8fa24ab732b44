"""Epochs by their dates, and a folder for the files of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from astropy.time import Time
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.pipeline.products import check_folder
from gammafind.simulation.folders import filled_folder, is_made, write_record
from gammafind.sky.fits.good_times import mission_seconds

RECORD = "made.json"
"""File of a folder that records how its other files were made."""

Span = tuple[float, float] | None
"""Begin and end in mission elapsed time; None is all time."""


@dataclass(frozen=True, kw_only=True)
class EpochFiles:
    """Files of epochs that were written, or found written.

    Attributes
    ----------
    files : tuple of Path
        As `gammafind.detect` takes them; epoch after epoch, a file for each channel.
    folders : tuple of Path
        One for each epoch.
    n_made : int
        Number of epochs that were not there before.
    seconds : float
    """

    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    n_made: int
    seconds: float


def spans_of(epochs: Sequence[str | Time | Quantity] | None) -> list[Span]:
    """Begin and end of each epoch; None alone for no epochs.

    Raises
    ------
    OptionError
        If there are less than two times, or they do not increase.
    """
    if epochs is None:
        return [None]
    edges = [mission_seconds(one) for one in epochs]
    if len(edges) < 2 or np.any(np.diff(edges) <= 0):
        raise OptionError(
            f"epochs are {', '.join(map(str, epochs))}",
            remedy="Give two or more times, the later ones after the earlier.",
        )
    return list(pairwise(edges))


def epoch_folders(folder: Path, spans: Sequence[Span]) -> list[Path]:
    """Folder of each epoch; for all time together it is ``folder`` itself.

    Raises
    ------
    OutputError
        If the directory above ``folder`` does not exist.
    """
    check_folder(folder, overwrite=True)
    if spans == [None]:
        return [folder]
    folder.mkdir(exist_ok=True)
    return [folder / f"epoch-{i}" for i in range(1, len(spans) + 1)]


def write_epoch(
    place: Path,
    settings: Mapping[str, Any],
    fill: Callable[[Path], None],
    *,
    overwrite: bool,
    command: str,
) -> bool:
    """Fill the folder of an epoch, which appears when it is complete.

    Parameters
    ----------
    place : Path
    settings : mapping
        Everything that determines the files; JSON.
    fill : callable
        Writes the files to a folder.
    overwrite : bool
        Whether a folder that is there may be replaced.
    command : str
        Command line, for the record.

    Returns
    -------
    bool
        False if the folder was there already, made with the same settings.

    Raises
    ------
    OutputError
        If it was made with other settings, or cannot be written.
    """
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()
    if not overwrite and is_made(place, settings, name=RECORD):
        return False
    with filled_folder(place) as new:
        fill(new)
        write_record(new, settings, name=RECORD, command=command)
    return True
