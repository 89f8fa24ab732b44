"""Files that show that a run is alive: the system frees them when its process ends, even by a kill.

A lock is a file on which the process holds ``flock``. What a killed run left is known by a lock
that nobody holds, and is removed by the next run in the same folder. Where the system or the disk
has no such locks, nothing is locked and nothing is removed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None  # type: ignore[assignment]

ALIVE = ".alive"
"""Lock in a temporary folder."""
_NEW = f"{ALIVE}.new"
"""The same before it is locked."""
TEMPORARY = ".gammafind"
"""Suffix of temporary folders, by which those are found that were killed before they had a lock."""
LOCK = ".gammafind-lock"
"""Suffix of the lock of an output."""


def acquire(place: Path) -> int | None:
    """Create a file and lock it.

    Parameters
    ----------
    place : Path

    Returns
    -------
    int or None
        Open file to be given to `release`; None if another process, or this one, holds it.

    Raises
    ------
    OSError
        If the file cannot be made.
    """
    while True:
        file = os.open(place, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        if not _locked(file):
            os.close(file)
            return None
        # The one who held it may have removed the file between the two calls.
        with suppress(OSError):
            if os.path.samestat(os.fstat(file), os.stat(place)):
                return file
        os.close(file)


def release(place: Path, file: int) -> None:
    """Remove a lock that `acquire` made."""
    if fcntl is None:  # Windows removes no open file.
        os.close(file)
    with suppress(OSError):
        os.unlink(place)
    if fcntl is not None:
        os.close(file)


@contextmanager
def living_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a temporary folder that is marked as in use, and remove it in the end.

    Parameters
    ----------
    parent : Path
    prefix : str
        Of its name.

    Yields
    ------
    Path

    Raises
    ------
    OSError
        If it cannot be made.
    """
    folder, lock = _marked_folder(parent, prefix)
    try:
        yield folder
    finally:
        release(folder / ALIVE, lock)
        remove_tree(folder)


def _marked_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    """Make a folder, and a mark in it that gets its name when it is locked.

    Until then another run may take the folder for the rest of a killed one; then one more is made.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=TEMPORARY, dir=parent))
        with suppress(FileNotFoundError):
            folder.chmod(0o700)
            mark = folder / (_NEW if fcntl else ALIVE)  # Windows renames no open file.
            file = acquire(mark)
            if file is not None:
                if fcntl:
                    mark.replace(folder / ALIVE)
                return folder, file


def remove_tree(folder: Path) -> None:
    """Remove a folder with all in it, also folders that a mask of the user has closed."""
    with suppress(OSError):
        folder.chmod(0o700)
    for place, inner, _ in os.walk(folder):
        for one in (Path(place, name) for name in inner):
            if not one.is_symlink():
                with suppress(OSError):
                    one.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path, *, prefix: str = ".") -> None:
    """Remove the temporary folders and locks that killed runs left in a folder.

    Parameters
    ----------
    folder : Path
        What living runs use, and what is not of gammafind, is not touched.
    prefix : str
        Of the names that are looked at.
    """
    if fcntl is None:
        return
    try:
        names = [one.name for one in os.scandir(folder) if one.name.startswith(prefix)]
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            if name.endswith(LOCK):
                _remove_if_free(folder / name, folder / name)
            else:
                _remove_rest(folder / name)


def _remove_rest(folder: Path) -> None:
    """Remove a temporary folder that no run uses; what else is hidden stays.

    A living run has marked its folder before it writes into it.
    """
    if folder.is_symlink():
        return
    is_ours = folder.name.endswith(TEMPORARY)
    try:
        inner = os.listdir(folder)
    except PermissionError:  # Closed by a mask, and empty if it is ours.
        inner = []
    marks = [name for name in (ALIVE, _NEW) if name in inner]
    if marks:
        _remove_if_free(folder, folder / marks[0])
    elif is_ours and inner:
        remove_tree(folder)
    elif is_ours:
        folder.rmdir()


def sweep_all(folder: Path) -> None:
    """`sweep` a folder and all folders in it."""
    for place, inner, _ in os.walk(folder):
        sweep(Path(place))
        inner[:] = [name for name in inner if not name.startswith(".")]


def _remove_if_free(path: Path, lock: Path) -> None:
    """Remove a folder, or a lock itself, if nobody holds the lock."""
    try:
        file = os.open(lock, os.O_RDWR)
    except OSError:
        return
    try:
        if _locked(file, unknown=False):
            remove_tree(path)
            with suppress(OSError):
                os.unlink(lock)
    finally:
        os.close(file)


def _locked(file: int, *, unknown: bool = True) -> bool:
    """Lock an open file; False if someone else holds it, ``unknown`` where there are no locks."""
    if fcntl is None:
        return unknown
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return unknown
    return True
