"""Opening the FITS files that users bring: one place for what can be wrong with them."""

from __future__ import annotations

import gzip
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from gammafind.errors import FileFormatError, MissingFileError, TruncatedFileError

__all__ = ["open_fits"]

_GZIP = b"\x1f\x8b"


@contextmanager
def open_fits(path: str | PathLike, *, what: str) -> Iterator[fits.HDUList]:
    """Open a FITS file, compressed or not, and check that it is whole.

    An uncompressed file is mapped, not loaded; a compressed one is decompressed in memory.

    Parameters
    ----------
    path : path-like
    what : str
        What is accepted, for messages.

    Yields
    ------
    astropy.io.fits.HDUList

    Raises
    ------
    MissingFileError
        If the path does not exist or is a directory.
    TruncatedFileError
        If the file is empty, or ends early.
    FileFormatError
        If it is not FITS.
    """
    path = Path(path)
    remedy = f"Accepted is {what}."
    if path.is_dir():
        raise MissingFileError("this is a directory", path=path, remedy=remedy)
    if not path.exists():
        raise MissingFileError("there is no such file", path=path, remedy=remedy)
    with _opened(path, remedy) as file:
        yield file


def _opened(path: Path, remedy: str) -> fits.HDUList:
    try:
        with path.open("rb") as stream:
            start = stream.read(2)
        if not start:
            raise TruncatedFileError("the file is empty", path=path, remedy=remedy)
        with warnings.catch_warnings():
            warnings.simplefilter("error", AstropyWarning)
            return _hdus(path, start)
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise TruncatedFileError(
            f"the compressed file is cut off or damaged ({fault})", path=path, remedy=remedy
        ) from None
    except AstropyWarning as fault:
        raise TruncatedFileError(
            f"the file is cut off or damaged ({fault})", path=path, remedy=remedy
        ) from None
    except OSError as fault:
        raise FileFormatError(f"not a FITS file ({fault})", path=path, remedy=remedy) from None


def _hdus(path: Path, start: bytes) -> fits.HDUList:
    if start == _GZIP:
        return fits.HDUList.fromstring(gzip.decompress(path.read_bytes()), lazy_load_hdus=False)
    return fits.open(path, memmap=True, lazy_load_hdus=False)
