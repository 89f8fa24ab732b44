"""Input files are checked before reading; output files are written atomically."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
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
from gammafind.utils.locks import living_folder, sweep

_CHOSEN = re.compile(r"(.+)\[([^\[\]]+)\]")
"""A path that ends in the HDU to read, such as ``maps.fits[COUNTS]``."""


def split_hdu(path: str | PathLike) -> tuple[Path, str]:
    """Path of a file, and the HDU that brackets after its name choose; empty for none.

    Brackets that belong to the name of an existing file choose nothing.

    Examples
    --------
    >>> from gammafind.utils.files import split_hdu
    >>> split_hdu("maps.fits[COUNTS]")[1]
    'COUNTS'
    """
    match = _CHOSEN.fullmatch(str(path))
    if match is None or os.path.lexists(path):
        return Path(path), ""
    return Path(match[1]), match[2].strip()


_FULL = (errno.ENOSPC, errno.EDQUOT)
_SAID_IF_FULL = ("Not enough space on disk", os.strerror(errno.ENOSPC))
"""In errors of astropy and HDF5."""
_OF_HDF5 = re.compile(r"file write failed: .*error message = '([^']*)'", re.DOTALL)
"""What HDF5 says in an error that has no number."""
_PREFIX = 50
"""Characters of the name of an output in that of its temporary folder: four bytes each and the rest
of the name stay below the 255 bytes that a system takes."""
_SHOWN = 200
"""Characters of a path that cannot be opened which a message shows: a path may have thousands."""


def several(paths: Sequence[str | PathLike] | str | PathLike) -> Sequence[str | PathLike]:
    """Paths as a sequence, where one alone is accepted too; an error if there is none."""
    listed = [paths] if isinstance(paths, str | PathLike) else paths
    if not listed:
        raise OptionError("no file was given")
    return listed


def check_input(path: str | PathLike) -> Path:
    """Return the path of a file that exists, is readable and is not empty.

    An HDU in brackets after the name is left out; see `split_hdu`.

    Raises
    ------
    MissingFileError
        If the path does not exist, is a directory, or is not readable.
    TruncatedFileError
        If the file is empty.
    """
    path = Path(path)
    try:
        path = split_hdu(path)[0]
        if path.is_dir():
            raise MissingFileError("is a directory, not a file", path=path)
        if not path.exists():
            raise MissingFileError("the file does not exist", path=path)
        if not os.access(path, os.R_OK):
            raise MissingFileError("there is no permission to read the file", path=path)
        if path.stat().st_size == 0:
            raise TruncatedFileError("the file is empty", path=path)
    except (OSError, ValueError) as error:
        fault = getattr(error, "strerror", None) or error
        shown = str(path) if len(str(path)) <= _SHOWN else f"{str(path)[:_SHOWN]}..."
        raise MissingFileError(f"the file cannot be opened ({fault})", path=shown) from None
    return path


@contextmanager
def naming_output(path: Path, fault: str = "cannot be written") -> Iterator[None]:
    """Raise what the system says against an output as an error that names it.

    Errors of ours that name a temporary path keep their kind and name the output.

    Raises
    ------
    OutputError
        Also for a full disk, which astropy and HDF5 report in ways of their own.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except (OSError, RuntimeError) as error:
        of_hdf5 = _OF_HDF5.search(str(error))
        if isinstance(error, RuntimeError) and not of_hdf5:
            raise
        said = of_hdf5[1] if of_hdf5 else getattr(error, "strerror", None) or str(error)
        if getattr(error, "errno", None) in _FULL or any(text in said for text in _SAID_IF_FULL):
            raise OutputError(
                "the disk is full", path=path, remedy="Free some space, or choose another disk."
            ) from error
        raise OutputError(f"{fault} ({said})", path=path) from error


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
        If the directory does not exist or may not be written, the path is a directory or a device,
        or the file exists and ``overwrite`` is false.
    """
    path = Path(path)
    with naming_output(path):
        check_place(path)
        if path.is_dir():
            raise OutputError("is a directory", path=path, remedy="Give the name of a file.")
        if not path.absolute().parent.is_dir():
            raise OutputError(
                f"the directory {path.parent} does not exist", path=path, remedy="Create it first."
            )
        if os.path.lexists(path) and not overwrite:
            raise _exists(path)
        check_writable(path.absolute().parent, path)
    return path


def check_place(path: Path) -> None:
    """Refuse a device, a pipe or a socket, which a file would replace, and what is no path.

    Raises
    ------
    OutputError
    """
    if "\0" in str(path):
        raise OutputError("the name holds a null byte", path=path, remedy="Give another name.")
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OutputError(
            "is a device, a pipe or a socket", path=path, remedy="Give the name of a file."
        )


def check_writable(directory: Path, path: Path) -> None:
    """Refuse a directory in which no file can be made.

    Raises
    ------
    OutputError
    """
    if not os.access(directory, os.W_OK | os.X_OK):
        raise OutputError(f"the directory {directory} may not be written", path=path)


def _exists(path: Path) -> OutputError:
    return OutputError(
        "the file already exists",
        path=path,
        remedy="Choose another name, or overwrite it with --overwrite (overwrite in Python).",
    )


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
def temporary_folder(path: Path) -> Iterator[Path]:
    """Temporary folder next to an output, which is removed when the block ends.

    Folders that killed runs left there are removed first.

    Raises
    ------
    OutputError
        If the directory is not writable or the disk is full; it names the output.
    """
    parent, prefix = path.absolute().parent, f".{path.name[:_PREFIX]}."
    with ExitStack() as opened:
        with naming_output(path, f"the directory {path.parent} cannot be written"):
            sweep(parent)
            folder = opened.enter_context(living_folder(parent, prefix))
        try:
            with naming_output(path):
                yield folder
        except GammafindError as error:
            if str(folder) not in f"{error.path} {error.fault}":
                raise
            raise _renamed(error, folder, path) from error


def _renamed(error: GammafindError, folder: Path, path: Path) -> GammafindError:
    """The same error, which names the output instead of what is in the temporary folder."""
    inside = re.compile(rf"{re.escape(str(folder))}(?:/{re.escape(path.name)}|/new)?")

    def named(text: object) -> str:
        return inside.sub(lambda _: str(path), str(text))

    where = path if error.path is None else Path(named(error.path))
    return type(error)(named(error.fault), path=where, remedy=error.remedy)


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
        yield folder / path.name
        _move(folder / path.name, path, overwrite)


def _move(written: Path, path: Path, overwrite: bool) -> None:
    """Give a file its name; another one that appeared in the meantime is not replaced."""
    if not overwrite:
        try:
            os.link(written, path)
        except FileExistsError:
            raise _exists(path) from None
        except OSError:  # A disk without links.
            if path.exists():
                raise _exists(path) from None
        else:
            return
    os.replace(written, path)


@contextmanager
def of_file(path: str | PathLike | None) -> Iterator[None]:
    """Add the path of a file, if there is one, to errors that name none, or only its last part."""
    try:
        yield
    except GammafindError as error:
        if path is None or str(error.path or "") not in ("", Path(path).name):
            raise
        raise type(error)(error.fault, path=path, remedy=error.remedy) from error


def named_folder(folder: str | PathLike) -> Path:
    """Folder to write to; an empty name, which would mean the current folder, is an error."""
    if not str(folder):
        raise OutputError("the name of the folder is empty", remedy="Give the name of a folder.")
    return Path(folder)
