"""Input files are checked before reading; output files are written atomically."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from os import PathLike
from pathlib import Path

from gammafind.errors import (
    GammafindError,
    MissingFileError,
    OptionError,
    OutputError,
    TruncatedFileError,
)


def several(paths: Sequence[str | PathLike] | str | PathLike) -> Sequence[str | PathLike]:
    """Paths as a sequence, where one alone is accepted too; an error if there is none."""
    listed = [paths] if isinstance(paths, str | PathLike) else paths
    if not listed:
        raise OptionError("no file was given")
    return listed


def check_input(path: str | PathLike) -> Path:
    """Return the path of a file that exists, is readable and is not empty.

    Raises
    ------
    MissingFileError
        If the path does not exist, is a directory, or is not readable.
    TruncatedFileError
        If the file is empty.
    """
    path = Path(path)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except OSError as error:
        raise MissingFileError(
            f"the file cannot be reached ({error.strerror})", path=path
        ) from None
    if is_folder:
        raise MissingFileError("is a directory, not a file", path=path)
    if not exists:
        raise MissingFileError("the file does not exist", path=path)
    if not os.access(path, os.R_OK):
        raise MissingFileError("there is no permission to read the file", path=path)
    if path.stat().st_size == 0:
        raise TruncatedFileError("the file is empty", path=path)
    return path


def check_output(path: str | PathLike, *, overwrite: bool = False) -> Path:
    """Return a path that may be written.

    Parameters
    ----------
    path : path-like
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the directory does not exist, the path is a directory, or the file exists and
        ``overwrite`` is false.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError("is a directory", path=path, remedy="Give the name of a file.")
    if not path.parent.is_dir():
        raise OutputError(
            f"the directory {path.parent} does not exist", path=path, remedy="Create it first."
        )
    if path.exists() and not overwrite:
        raise OutputError(
            "the file already exists",
            path=path,
            remedy="Choose another name, or overwrite it with --overwrite (overwrite in Python).",
        )
    return path


def file_checksum(path: str | PathLike) -> str:
    """SHA-256 of a file, in hexadecimal digits; an unchanged file is read only once."""
    path = check_input(path)
    status = path.stat()
    return _checksum(path.resolve(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _checksum(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Raise the error of a full disk as one that names the output."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                "the disk is full", path=path, remedy="Free some space, or choose another disk."
            ) from error
        raise


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Temporary folder next to an output, which is removed when the block ends.

    Raises
    ------
    OutputError
        If the directory is not writable or the disk is full; it names the output.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise OutputError(
            f"the directory {path.parent} cannot be written ({error.strerror})", path=path
        ) from None
    try:
        with naming_full_disk(path):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_output(path: str | PathLike, overwrite: bool = False) -> Iterator[Path]:
    """Write a file under a temporary path, and rename it to ``path`` when it is complete.

    If the block raises, ``path`` is unchanged and no temporary file remains.

    Parameters
    ----------
    path : path-like
        Final path of the file.
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        Where to write: the same name in a temporary directory next to ``path``.

    Raises
    ------
    OutputError
        As in `check_output`; also if the directory is not writable or the disk is full.

    Examples
    --------
    >>> with atomic_output(path) as temporary:  # doctest: +SKIP
    ...     table.write(temporary, format="fits")
    """
    path = check_output(path, overwrite=overwrite)
    with temporary_folder(path) as folder:
        try:
            yield folder / path.name
        except OutputError as error:
            if error.path == folder / path.name:
                raise OutputError(error.fault, path=path, remedy=error.remedy) from error
            raise
        os.replace(folder / path.name, path)


@contextmanager
def of_file(path: str | PathLike) -> Iterator[None]:
    """Add this file's name to errors that name no file."""
    try:
        yield
    except GammafindError as error:
        if error.path is not None:
            raise
        raise type(error)(error.fault, path=path, remedy=error.remedy) from error


def named_folder(folder: str | PathLike) -> Path:
    """Folder to write to; an empty name, which would mean the current folder, is an error."""
    if not str(folder):
        raise OutputError("the name of the folder is empty", remedy="Give the name of a folder.")
    return Path(folder)
