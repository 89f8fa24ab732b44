"""Folders of trainings: the record of what is trained there, and networks in their precision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gammafind.errors import OutputError
from gammafind.files import atomic_output
from gammafind.learning.backend import load_keras

if TYPE_CHECKING:
    import keras

__all__ = ["Buildable", "built", "prepare_folder", "whole", "write_record"]

RECORD = "training.json"


class Buildable(Protocol):
    """The architecture of a network."""

    def build(self) -> keras.Model:
        """Return the network with random weights."""


def built(architecture: Buildable, policy: str) -> keras.Model:
    """Network with random weights that computes in a precision of keras."""
    keras = load_keras()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return architecture.build()
    finally:
        keras.config.set_dtype_policy(before)


def whole(network: keras.Model, architecture: Buildable) -> keras.Model:
    """The same network, all of it in 32 bits."""
    whole = architecture.build()
    whole.set_weights(network.get_weights())
    return whole


def prepare_folder(folder: Path, record: dict[str, Any], resume: bool) -> None:
    """Make the folder; refuse one that holds a training with other settings."""
    path = folder / RECORD
    if path.exists():
        if not resume:
            raise OutputError(
                "a training has begun here already",
                path=folder,
                remedy="Go on with --resume (resume in Python), or choose another folder.",
            )
        found = json.loads(path.read_text(encoding="utf-8"))["settings"]
        different = [
            name
            for name in {**found, **record["settings"]}
            if found.get(name) != record["settings"].get(name)
        ]
        if different:
            raise OutputError(
                f"the training here has other settings: {', '.join(different)}",
                path=folder,
                remedy=f"Take those in {RECORD}, or choose another folder.",
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot be made ({error.strerror})", path=folder) from None
    write_record(folder, record)


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write what is trained in a folder, in place of what stood there."""
    with atomic_output(folder / RECORD, overwrite=True) as temporary:
        temporary.write_text(f"{json.dumps(record, indent=2)}\n", encoding="utf-8")
