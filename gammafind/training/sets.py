"""Training data on disk, with one folder a catalogue: how they are made and found again.

Each folder holds ``meta.json``, which says how it was made. It is written last: a catalogue that
has it is whole. What else it holds is said where it is made.
"""

from __future__ import annotations

import abc
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from gammafind.errors import MissingFileError, OptionError, OutputError, TruncatedFileError
from gammafind.training.targets import TRUTH
from gammafind.utils.files import atomic_output, file_checksum, naming_output
from gammafind.utils.progress import track
from gammafind.utils.workers import run_tasks

META = "meta.json"
"""File of a shard that says how it was made; a shard that has it is whole."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Maker(abc.ABC):
    """Makes the training data of one catalogue after the other, each called a shard.

    Called with an index, it makes that one, and returns its folder.

    Parameters
    ----------
    folder : Path
        Of the set.
    settings : mapping
        All that determines what is made, except what the maker itself is given; JSON.
    seed : int
        Of the set.
    """

    folder: Path
    settings: Mapping[str, Any]
    seed: int = 0

    def __call__(self, index: int) -> Path:
        """Make the shard of an index."""
        folder = self.place(index)
        with naming_output(folder):
            (folder / META).unlink(missing_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            filled = self.fill(folder, index)
        meta = {"settings": self.settings_of(index), **filled}
        meta["files"] = {
            one.name: file_checksum(one) for one in sorted(folder.iterdir()) if one.is_file()
        }
        meta["files"][META] = _digest(meta)
        with atomic_output(folder / META, overwrite=True) as temporary:
            temporary.write_text(f"{json.dumps(meta)}\n", encoding="utf-8")
        return folder

    @abc.abstractmethod
    def fill(self, folder: Path, index: int) -> dict[str, Any]:
        """Write the files of an index; return what its record says next to the settings."""

    @abc.abstractmethod
    def own_settings(self) -> dict[str, Any]:
        """What the maker is given that determines what is made; JSON."""

    def place(self, index: int) -> Path:
        """Folder of an index."""
        return shard_folder(self.folder, index)

    def settings_of(self, index: int) -> dict[str, Any]:
        """All that decides what a shard holds, as JSON gives it back."""
        own = {"seed": self.seed, "index": index, **self.own_settings()}
        return json.loads(json.dumps({**self.settings, **own}))


def make_shards(maker: Maker, indices: Sequence[int], *, workers: int = 1) -> int:
    """Make the shards that are not there yet.

    Parameters
    ----------
    maker : Maker
    indices : sequence of int
    workers : int
        Number of processes; what is made does not depend on it.

    Returns
    -------
    int
        How many were made.

    Raises
    ------
    OutputError
        If a shard is there that was made otherwise, or the folder cannot be made.
    """
    missing = [index for index in indices if not _is_made(maker, index)]
    try:
        maker.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot be made ({error.strerror})",
            path=maker.folder,
            remedy="Choose another folder for the data.",
        ) from None
    for _ in track(run_tasks(maker, missing, workers=workers), "catalogues", total=len(missing)):
        pass
    return len(missing)


def _is_made(maker: Maker, index: int) -> bool:
    """Whether a shard is there; one that was made otherwise is an error."""
    folder, wanted = maker.place(index), maker.settings_of(index)
    try:
        (found,) = read_meta(folder, "settings")
    except MissingFileError:
        return False
    _check_files(folder)
    if not isinstance(found, dict):
        raise damaged(folder, META)
    different = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
    if different:
        differences = "; ".join(
            f"{k} was {found.get(k)!r} and is to be {wanted.get(k)!r}" for k in different
        )
        raise OutputError(
            f"was made with other settings: {differences}",
            path=folder,
            remedy="Choose another folder for the data, or remove this one.",
        )
    return True


def _check_files(folder: Path) -> None:
    """Refuse a shard whose files, or whose record, are not as they were written.

    Raises
    ------
    TruncatedFileError
    """
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        known = meta.get("files", {})  # Earlier versions wrote none, or none of the record.
        if known.get(META, _digest(meta)) != _digest(meta):
            raise damaged(folder, META)
    except (AttributeError, TypeError):
        raise damaged(folder, META) from None
    for name, checksum in known.items():
        place = folder / name
        if name != META and (not place.is_file() or file_checksum(place) != checksum):
            raise damaged(folder, name)


def _digest(meta: Mapping[str, Any]) -> str:
    """SHA-256 of a record without itself."""
    files = {name: checksum for name, checksum in meta.get("files", {}).items() if name != META}
    text = json.dumps({**meta, "files": files}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Part(abc.ABC):
    """The samples of one catalogue, mapped into memory.

    Attributes
    ----------
    folder : Path
    widths : tuple of int
        Pixels a side of each array of a sample.
    """

    widths: tuple[int, ...]

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abc.abstractmethod
    def __len__(self) -> int:
        """How many they are."""

    def truth_of(self, sample: int) -> np.ndarray:
        """Truth of one sample."""
        low, high = np.searchsorted(self._truth["patch"], (sample, sample + 1))
        return self._truth[low:high]

    @cached_property
    def _truth(self) -> np.ndarray:
        return load_array(self.folder, "truth", None)


P = TypeVar("P", bound=Part)


class DataSet(Generic[P]):
    """The samples of some catalogues of a set, mapped into memory.

    Parameters
    ----------
    folder : Path
        Of the set.
    indices : sequence of int
        Of the catalogues.

    Raises
    ------
    MissingFileError
        If a shard is not there, or not whole.
    TruncatedFileError
        If a file of a shard is damaged.
    OptionError
        If samples have different widths.
    """

    part: ClassVar[type[Part]]

    def __init__(self, folder: Path, indices: Sequence[int]) -> None:
        self.parts: list[P] = [self.part(shard_folder(Path(folder), index)) for index in indices]
        self._ends = np.cumsum([len(part) for part in self.parts], dtype=int)
        if len({part.widths for part in self.parts}) > 1:
            raise OptionError(
                f"the samples in {folder} have different widths",
                remedy="Make them with one recipe.",
            )

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def places(self, rows: np.ndarray) -> list[tuple[P, int]]:
        """Catalogue and place in it of some samples, counted through all catalogues."""
        owner = np.searchsorted(self._ends, rows, side="right")
        return [
            (self.parts[i], int(row - self._ends[i] + len(self.parts[i])))
            for i, row in zip(owner, rows, strict=True)
        ]


def joined_truth(places: Sequence[tuple[Part, int]]) -> np.ndarray:
    """Truth of several samples, numbered in their order."""
    truths = [part.truth_of(sample) for part, sample in places]
    joined = np.concatenate(truths) if truths else np.empty(0, dtype=TRUTH)
    joined["patch"] = np.repeat(np.arange(len(truths)), [len(truth) for truth in truths])
    return joined


def read_meta(folder: Path, *names: str) -> list[Any]:
    """Entries of the record of a shard.

    Raises
    ------
    MissingFileError
        If it cannot be read, or lacks one.
    """
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        return [meta[name] for name in names]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        raise MissingFileError(
            f"this is no whole shard: it has no {META} that can be read",
            path=folder,
            remedy="Make it again.",
        ) from None


def load_array(folder: Path, name: str, mmap_mode: str | None) -> np.ndarray:
    """Array of a name in a folder of training data.

    Raises
    ------
    TruncatedFileError
        If it is missing or damaged.
    """
    try:
        return np.load(folder / f"{name}.npy", mmap_mode=mmap_mode)
    except (OSError, ValueError, EOFError, LookupError, TypeError, MemoryError):
        raise damaged(folder, f"{name}.npy") from None


def damaged(folder: Path, name: str) -> TruncatedFileError:
    """Error of a file of training data that cannot be used."""
    return TruncatedFileError(
        "the file is missing or damaged",
        path=folder / name,
        remedy=f"Remove {folder}, so that it is made again.",
    )


def shard_folder(folder: Path, index: int) -> Path:
    """Folder of the shard of an index within that of the set."""
    return folder / f"catalogue-{index:04d}"
