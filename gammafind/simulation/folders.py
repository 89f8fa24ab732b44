"""Folders of catalogues: written atomically, with a record of how they were made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gammafind.errors import OutputError
from gammafind.sky.fits.counts import describe_input
from gammafind.utils.files import file_checksum, temporary_folder

RECORD = "simulation.json"
"""File that records how the other files of a folder were made; it is written last."""

FORMAT = 1
"""Format of records: it grows when an entry changes its meaning. Records without one have 1."""


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
        If the folder was made with other settings or by a later version of gammafind, or its files
        differ from its record.
    """
    if not folder.exists():
        return False
    try:
        record = json.loads((folder / name).read_text(encoding="utf-8"))
        files, made_with = record["files"], record["settings"]
        written = record.get("format", FORMAT)
        listed = {str(entry["name"]): entry["sha256"] for entry in files}
        is_known = bool(listed) and isinstance(made_with, dict)
        made_with = _flat(made_with)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        is_known = False
    if not is_known:
        raise OutputError(
            f"exists already, without a {name} that describes it",
            path=folder,
            remedy="Move it away, or choose another folder.",
        )
    if written != FORMAT:
        raise OutputError(
            f"its {name} has format {written!r}, and this gammafind reads format {FORMAT}",
            path=folder,
            remedy="Choose another folder, or use the version of gammafind that made it.",
        )
    damaged = [name for name, known in listed.items() if _checksum(folder / name) != known]
    if damaged:
        raise OutputError(
            f"{', '.join(damaged)} is missing or was changed",
            path=folder,
            remedy="Make it again with --overwrite (overwrite in Python).",
        )
    different = _differences(made_with, _flat(json.loads(json.dumps(settings))))
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
    with temporary_folder(folder) as temporary:
        new = temporary / "new"
        new.mkdir()
        yield new
        if folder.exists():
            folder.rename(temporary / "old")
        new.rename(folder)


def write_record(
    folder: Path, settings: Mapping[str, Any], *, name: str = RECORD, **more: Any
) -> None:
    """Write the record of a folder: settings, more information, all files with checksums."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    listed = [
        {**describe_input(path), "name": path.relative_to(folder).as_posix(), "bytes": _size(path)}
        for path in files
    ]
    record = {"format": FORMAT, "settings": settings, **more, "files": listed}
    (folder / name).write_text(f"{json.dumps(record, indent=2)}\n", encoding="utf-8")


def _size(path: Path) -> int:
    return path.stat().st_size


def _checksum(path: Path) -> str | None:
    """SHA-256 of a file; None if it is not there, cannot be read, or is empty."""
    try:
        return file_checksum(path) if path.is_file() and _size(path) else None
    except OSError:
        return None


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
