"""Files that show that a run is alive: the system frees them when its process ends, even by a kill.

A lock is a file on which the process holds ``flock``. What a killed run left is known by a lock
that nobody holds, and is removed by the next run in the same folder. Where the system or the disk
has no such locks, nothing is locked and nothing is removed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None  # type: ignore[assignment]

ALIVE = ".alive"
"""Lock in a temporary folder."""
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
def alive(folder: Path) -> Iterator[None]:
    """Mark a temporary folder as in use.

    The mark gets its name when it is locked: `sweep` of another process takes an unlocked one for
    the rest of a killed run.
    """
    if fcntl is None:  # Windows renames no open file, and `sweep` does nothing there.
        file = acquire(folder / ALIVE)
    else:
        file = acquire(folder / f"{ALIVE}.new")
        os.rename(folder / f"{ALIVE}.new", folder / ALIVE)
    try:
        yield
    finally:
        if file is not None:
            release(folder / ALIVE, file)


def sweep(folder: Path, *, prefix: str = ".") -> None:
    """Remove the temporary folders and locks that killed runs left in a folder.

    Parameters
    ----------
    folder : Path
        Others than those with a lock that nobody holds are not touched.
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
        path = folder / name
        if name.endswith(LOCK):
            _remove_if_free(path, path)
        elif (path / ALIVE).is_file():
            _remove_if_free(path, path / ALIVE)


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
        if _locked(file):
            shutil.rmtree(path, ignore_errors=True)
            with suppress(OSError):
                os.unlink(lock)
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    """Lock an open file; False if someone else holds it, True where there are no locks."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
