"""Checkpoints of a training: one file, which appears whole or not at all."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gammafind.errors import TruncatedFileError
from gammafind.roles.trainer import Row
from gammafind.utils.files import atomic_output

__all__ = ["read_checkpoint", "write_checkpoint"]

_HISTORY = "history"


def write_checkpoint(path: Path, arrays: Sequence[np.ndarray], history: Sequence[Row]) -> None:
    """Write the state of a training, in place of the one before.

    Parameters
    ----------
    path : Path
        Ends in ``.npz``.
    arrays : sequence of ndarray
    history : sequence of Row
    """
    named = {f"array_{i}": array for i, array in enumerate(arrays)}
    with atomic_output(path, overwrite=True) as temporary:
        np.savez(temporary, **{_HISTORY: np.array(json.dumps(list(history)))}, **named)


def read_checkpoint(path: Path) -> tuple[list[np.ndarray], list[Row]]:
    """Read what `write_checkpoint` wrote, to the bit.

    Raises
    ------
    TruncatedFileError
        If the file is damaged.
    """
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            history = json.loads(str(file[_HISTORY]))
            return [file[f"array_{i}"] for i in range(len(file.files) - 1)], history
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise TruncatedFileError(
            "the checkpoint is damaged", path=path, remedy="Remove it and start again."
        ) from None
