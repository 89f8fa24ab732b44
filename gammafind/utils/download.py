"""Downloads that go on where they broke off, and appear whole and checked or not at all."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO

import gammafind
from gammafind.errors import DownloadError, OutputError
from gammafind.utils.files import naming_output
from gammafind.utils.progress import byte_bar

_CHUNK = 1 << 18
"""Bytes that are written at once: what came is on the disk when a connection breaks."""
_TIMEOUT = 60.0
"""Seconds without an answer after which a connection counts as broken."""
_ATTEMPTS = 5
"""Broken connections in a row that bring nothing new, after which an address is given up."""
_PART = ".part"
_GZIP = b"\x1f\x8b"


class _BrokenError(Exception):
    """A connection broke, or could not be made."""


class _RefusedError(Exception):
    """A server does not have the file, or does not give it."""


def download(urls: Sequence[str], path: Path, *, size: int = 0, sha256: str = "") -> Path:
    """Download a file.

    What came before a connection broke is kept next to ``path``, with the suffix ``.part``. The
    next call goes on from there, if the checksum of the whole is known.

    Parameters
    ----------
    urls : sequence of str
        Addresses of the same file, tried in order.
    path : Path
        Where it will be; a file that is there is replaced. The folder is made if necessary.
    size : int
        In bytes; 0 where it is not known.
    sha256 : str
        In hexadecimal digits; empty where it is not known.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    DownloadError
        If no address gives the file, the connection breaks again and again, another process
        downloads the file, or what came is not the file: then nothing of it is kept.
    OutputError
        If the folder cannot be written, or the disk has no room.
    """
    part = path.with_name(path.name + _PART)
    with naming_output(path):
        with _part_file(part, path) as stream:
            if not sha256 or (size and stream.tell() > size):
                stream.truncate(0)
            _check_room(path, size - stream.seek(0, os.SEEK_END))
            _from_any(urls, stream, path, size)
        fault = fault_of(part, size=size, sha256=sha256)
        if fault:
            part.unlink()
            raise DownloadError(
                f"what came is not this file: {fault}",
                path=path,
                remedy="Nothing of it was kept. If it stays so, the file has changed there.",
            )
        os.replace(part, path)
    return path


def fault_of(path: Path, *, size: int = 0, sha256: str = "") -> str:
    """Say what is wrong with a file; empty if nothing is.

    Parameters
    ----------
    path : Path
        Gzipped if its name ends in ``.gz``.
    size : int
        Of the uncompressed file in bytes; 0 where it is not known.
    sha256 : str
        Of the uncompressed file, in hexadecimal digits; empty where it is not known.
    """
    digest, length = hashlib.sha256(), 0
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as stream:
            while block := stream.read(_CHUNK):
                digest.update(block)
                length += len(block)
    except (OSError, EOFError, ValueError) as error:
        return f"it cannot be read ({error})"
    if size and length != size:
        return f"it has {length:,} bytes instead of {size:,}"
    if sha256 and digest.hexdigest() != sha256.lower():
        return "its checksum differs"
    return ""


@contextmanager
def _part_file(part: Path, path: Path) -> Iterator[BinaryIO]:
    """Open a file that is not complete, at its end and for this process alone."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        stream = part.open("ab")
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror})", path=path) from error
    try:
        with stream:
            _lock(stream, path)
            yield stream
    finally:
        if part.exists() and part.stat().st_size == 0:
            part.unlink()


def _lock(stream: BinaryIO, path: Path) -> None:
    """Refuse to write what another process is writing, where the system can say so."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise DownloadError(
            "another process is downloading this file", path=path, remedy="Wait until it is done."
        ) from None


def _check_room(path: Path, missing: int) -> None:
    """Refuse to begin what the disk cannot hold."""
    free = shutil.disk_usage(path.parent).free
    if missing > free:
        raise OutputError(
            f"the disk has {free / 1e6:,.0f} MB free, and {missing / 1e6:,.0f} MB are missing",
            path=path,
            remedy="Free some space, or name another folder with --folder or GAMMAFIND_DATA.",
        )


def _from_any(urls: Sequence[str], stream: BinaryIO, path: Path, size: int) -> None:
    """Bring a file from the first address that gives it."""
    faults = []
    with byte_bar(path.name, total=size) as show:
        for url in urls:
            try:
                return _from_one(url, stream, size, show)
            except (_BrokenError, _RefusedError) as fault:
                faults.append(f"{url}: {fault}")
    kept = stream.seek(0, os.SEEK_END)
    remedy = f"{kept:,} bytes are kept: the same command goes on." if kept else "Try again later."
    raise DownloadError(f"cannot be downloaded ({'; '.join(faults)})", path=path, remedy=remedy)


def _from_one(url: str, stream: BinaryIO, size: int, show: Callable[[int], None]) -> None:
    """Bring a file from one address, through broken connections as long as bytes come."""
    most, idle = stream.seek(0, os.SEEK_END), 0
    while True:
        try:
            if _receive(url, stream, size, show):
                return
            raise _BrokenError("the connection was closed early")
        except _BrokenError:
            here = stream.seek(0, os.SEEK_END)
            idle = 0 if here > most else idle + 1
            most = max(most, here)
            if idle == _ATTEMPTS:
                raise


def _receive(url: str, stream: BinaryIO, size: int, show: Callable[[int], None]) -> bool:
    """Append what one connection brings; whether the file is complete then."""
    here = stream.seek(0, os.SEEK_END)
    response = _answer(url, here)
    if response is None:  # The server has no more bytes than there are here, or fewer.
        complete = here == size or not size
        if not complete:
            stream.truncate(0)
        return complete
    with response:
        goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {here}-")
        if here and not (response.status == 206 and goes_on):
            stream.truncate(0)
            here = 0
        announced = response.headers.get("Content-Length")
        whole = here + int(announced) if (announced or "").isdigit() else size
        if size and whole != size:
            raise _RefusedError(f"the file there has {whole:,} bytes instead of {size:,}")
        while block := _block(response):
            stream.write(block)
            here += len(block)
            show(here)
        stream.flush()
    return not whole or here >= whole


def _answer(url: str, here: int) -> HTTPResponse | None:
    """Answer of a server to a request for all bytes after the first ones; None if it has none."""
    headers = {"User-Agent": f"gammafind/{gammafind.__version__}", "Accept-Encoding": "identity"}
    if here:
        headers["Range"] = f"bytes={here}-"
    try:
        return urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=_TIMEOUT
        )
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and here:
                return None
            kind = _BrokenError if error.code >= 500 else _RefusedError
            raise kind(f"{error.code} {error.reason}") from None
    except (HTTPException, OSError) as error:
        raise _BrokenError(str(getattr(error, "reason", "") or error)) from error


def _block(response: HTTPResponse) -> bytes:
    try:
        return response.read(_CHUNK)
    except (HTTPException, OSError) as error:
        raise _BrokenError(f"the connection broke ({error})") from error
