"""Folders of catalogues: written atomically, with a record of how they were made."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gammafind.errors import OutputError
from gammafind.sky.fits.counts import describe_input
from gammafind.utils.files import naming_full_disk

RECORD = "simulation.json"
"""File that records how the other files of a folder were made; it is written last."""


def is_made(folder: Path, settings: Mapping[str, Any], *, name: str = RECORD) -> bool:
    """Whether a folder was already made with these settings.

    Parameters
    ----------
    folder : Path
    settings : mapping
        Everything that determines the contents of its files; JSON.
    name : str
        Of the record.

    Returns
    -------
    bool
        False if there is no such folder.

    Raises
    ------
    OutputError
        If the folder was made with other settings, or its files differ from its record.
    """
    if not folder.exists():
        return False
    try:
        record = json.loads((folder / name).read_text(encoding="utf-8"))
        files, made_with = record["files"], record["settings"]
        sizes = {entry["name"]: entry["bytes"] for entry in files}
    except (OSError, ValueError, LookupError, TypeError):
        raise OutputError(
            f"exists already, without a {name} that describes it",
            path=folder,
            remedy="Move it away, or choose another folder.",
        ) from None
    damaged = [name for name, size in sizes.items() if _size(folder / name) != size]
    if damaged:
        raise OutputError(
            f"{', '.join(damaged)} is missing or was changed",
            path=folder,
            remedy="Make it again with --overwrite (overwrite in Python).",
        )
    different = _differences(_flat(made_with), _flat(json.loads(json.dumps(settings))))
    if different:
        raise OutputError(
            f"was made with other settings: {'; '.join(different)}",
            path=folder,
            remedy="Choose another folder, or replace it with --overwrite (overwrite in Python).",
        )
    return True


@contextmanager
def filled_folder(folder: Path) -> Iterator[Path]:
    """Fill a folder under a temporary name, and rename it when it is complete.

    The temporary folder is next to the final one. An existing folder is replaced. If the block
    raises, it is unchanged.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OutputError
        If the folder cannot be created, or the disk is full.
    """
    with _naming(folder):
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        new = temporary / "new"
        with _naming(folder, instead_of=new):
            new.mkdir()
            yield new
            if folder.exists():
                folder.rename(temporary / "old")
            new.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_record(
    folder: Path, settings: Mapping[str, Any], *, name: str = RECORD, **more: Any
) -> None:
    """Write the record of a folder: settings, more information, all files with checksums."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    listed = [
        {**describe_input(path), "name": path.relative_to(folder).as_posix(), "bytes": _size(path)}
        for path in files
    ]
    record = {"settings": settings, **more, "files": listed}
    (folder / name).write_text(f"{json.dumps(record, indent=2)}\n", encoding="utf-8")


def remove_leftovers(folder: Path) -> None:
    """Remove the unfinished folder that a killed run left."""
    for leftover in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def _naming(folder: Path, instead_of: Path | None = None) -> Iterator[None]:
    """Convert errors of the file system to one that names the requested folder."""
    try:
        with naming_full_disk(folder):
            yield
    except OutputError as error:
        if instead_of is None or not Path(error.path or "").is_relative_to(instead_of):
            raise
        path = folder / Path(error.path).relative_to(instead_of)
        raise OutputError(error.fault, path=path, remedy=error.remedy) from error
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", path=folder) from error


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _flat(settings: Any, prefix: str = "") -> dict[str, Any]:
    """Nested settings under dotted names."""
    if not isinstance(settings, dict) or not settings:
        return {prefix: settings}
    return {
        name: value
        for key, inner in settings.items()
        for name, value in _flat(inner, f"{prefix}.{key}" if prefix else key).items()
    }


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The settings that differ, as text."""
    return [
        f"{name} was {old.get(name)!r} and is now {new.get(name)!r}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]
