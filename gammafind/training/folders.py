"""Folders of trainings: the record of what is trained there, and networks in their precision."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gammafind.errors import FileFormatError, MissingBackendError, OutputError
from gammafind.networks.backend import load_keras
from gammafind.networks.onnx_file import check_exporter
from gammafind.networks.trained import TrainedNetwork
from gammafind.roles.base import Plugin
from gammafind.roles.provenance import provenance
from gammafind.training.loop import CHECKPOINT
from gammafind.utils.files import atomic_output

if TYPE_CHECKING:
    import keras


RECORD = "training.json"


def built(architecture: TrainedNetwork, policy: str) -> keras.Model:
    """Network with random weights that computes in a precision of keras."""
    keras = load_keras()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return architecture.build()
    finally:
        keras.config.set_dtype_policy(before)


def whole(network: keras.Model, architecture: TrainedNetwork) -> keras.Model:
    """The same network, all of it in 32 bits."""
    whole = architecture.build()
    whole.set_weights(network.get_weights())
    return whole


def training_record(
    settings: Mapping[str, Any], *, preset: str, used: Mapping[str, Plugin], seed: int, command: str
) -> dict[str, Any]:
    """How a network is trained: what decides the outcome, and where it came about."""
    made = provenance(preset=preset, used=used, inputs=[], seed=seed, command=command)
    history = {key: made[key] for key in ("creator", "date", "command", "software")}
    return json.loads(json.dumps({"settings": settings, **history}))


def check_libraries() -> None:
    """Make sure before a training that its end will find the libraries that it needs.

    Raises
    ------
    MissingBackendError
        If keras does not run on torch, or onnx or onnxruntime is not installed.
    """
    check_exporter()
    if find_spec("onnxruntime") is None:
        raise MissingBackendError(
            "trained networks are compared with onnxruntime, which is not installed",
            remedy="pip install onnxruntime",
        )


def finished(folder: Path, finish: Callable[[Path], object]) -> None:
    """Let ``finish`` fill a folder, which gets its name as the last act: it is there when whole."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    finish(part)
    part.rename(folder)


@contextmanager
def begun(
    folder: Path, record: dict[str, Any], *, stages: Sequence[Path], resume: bool
) -> Iterator[None]:
    """Make the folder of a training that then starts; refuse one that holds another training.

    If the training fails before the end of its first epoch, the record and the empty folders
    are removed. Data that were made for the training stay.

    Parameters
    ----------
    folder : Path
    record : dict
        What is trained.
    stages : sequence of Path
        Folders of the stages.
    resume : bool
        Whether the folder may hold a training with the same settings.

    Raises
    ------
    OutputError
        If it holds another, or any without ``resume``, or cannot be made.
    """
    is_new = not (folder / RECORD).exists()
    _prepare_folder(folder, record, resume)
    try:
        yield
    except Exception:
        if is_new and not any((stage / CHECKPOINT).exists() for stage in stages):
            (folder / RECORD).unlink(missing_ok=True)
            for made in dict.fromkeys((*stages, folder)):
                if made.is_dir() and not any(made.iterdir()):
                    made.rmdir()
        raise


def _prepare_folder(folder: Path, record: dict[str, Any], resume: bool) -> None:
    """Make the folder and write the record; refuse one that holds a training of other settings."""
    if (folder / RECORD).exists():
        if not resume:
            raise OutputError(
                "a training has begun here already",
                path=folder,
                remedy="Go on with --resume (resume in Python), or choose another folder.",
            )
        found = read_record(folder)["settings"]
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
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot be made ({error.strerror})", path=folder, remedy="Choose another folder."
        ) from None
    write_record(folder, record)


def read_record(folder: Path) -> dict[str, Any]:
    """Record of the training in a folder.

    Raises
    ------
    FileFormatError
        If it is damaged.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(record["settings"], dict):
            return record
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        pass
    raise FileFormatError(
        "the record of the training is damaged",
        path=path,
        remedy="Remove the folder and begin again, or choose another one.",
    )


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write what is trained in a folder, in place of what stood there."""
    with atomic_output(folder / RECORD, overwrite=True) as temporary:
        temporary.write_text(f"{json.dumps(record, indent=2)}\n", encoding="utf-8")
