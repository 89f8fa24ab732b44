"""Outputs are claimed before work begins: no other run writes them, and they can be written."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from os import PathLike
from pathlib import Path

from gammafind.errors import OutputError
from gammafind.utils.files import check_place, naming_output
from gammafind.utils.locks import LOCK, acquire, release, sweep, sweep_all


@contextmanager
def claimed(*paths: str | PathLike) -> Iterator[None]:
    """Claim files, or folders that are filled at the end, for the time of a run.

    What killed runs left next to them is removed. A claim is a hidden file next to the output,
    which shows too that something can be written there; it ends with the process.

    Parameters
    ----------
    *paths : path-like
        Those whose folder does not exist are left out: `gammafind.utils.files.check_output` names
        them.

    Raises
    ------
    OutputError
        If another run has claimed one, or it cannot be written.
    """
    with ExitStack() as held:
        for path in map(Path, paths):
            with naming_output(path):
                check_place(path)
                parent = path.absolute().parent
                if not parent.is_dir():
                    continue
                sweep(parent)
                if path.is_dir():
                    sweep(path)
            held.enter_context(_held(parent / _lock_name(path.name), path))
        yield


@contextmanager
def claimed_folder(folder: str | PathLike) -> Iterator[Path]:
    """Claim a folder that is filled step by step; make it if it is not there.

    A folder that was made and is empty in the end is removed.

    Parameters
    ----------
    folder : path-like

    Yields
    ------
    Path

    Raises
    ------
    OutputError
        If another run has claimed it, or it cannot be made or written.
    """
    folder = Path(folder)
    with naming_output(folder, "cannot be made"):
        fresh = not folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with _held(folder / LOCK, folder):
            sweep_all(folder)
            yield folder
    finally:
        if fresh:
            with suppress(OSError):
                folder.rmdir()


_mine: set[tuple[str, int]] = set()
"""Locks that a thread of this process holds: a verb within a command claims the same again."""


@contextmanager
def _held(place: Path, path: Path) -> Iterator[None]:
    key = (os.path.realpath(place), threading.get_ident())
    if key in _mine:
        yield
        return
    with naming_output(path):
        file = acquire(place)
    if file is None:
        raise OutputError(
            f"another run writes here{_holder(place)}",
            path=path,
            remedy="Wait until it has ended, or choose another output.",
        )
    _mine.add(key)
    try:
        with suppress(OSError):
            os.write(file, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        yield
    finally:
        _mine.discard(key)
        release(place, file)


def _holder(place: Path) -> str:
    """Who holds a lock, as the file says."""
    try:
        text = place.read_text(encoding="utf-8", errors="replace").strip()[:100]
    except OSError:
        return ""
    return f" ({text})" if text else ""


def _lock_name(name: str) -> str:
    """Hidden name of a lock, however long the name of the output."""
    short = (
        name
        if len(name.encode(errors="replace")) < 200
        else sha256(name.encode(errors="surrogatepass")).hexdigest()
    )
    return f".{short}{LOCK}"
