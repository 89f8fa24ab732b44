"""Opening FITS files of users, with named errors for damaged files."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np
from astropy.io import fits
from astropy.units import UnitsWarning
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import FITSFixedWarning

from gammafind.errors import FileFormatError, TruncatedFileError
from gammafind.utils.files import check_input
from gammafind.utils.limits import GZIP, check_claim, check_rows, unpacked
from gammafind.utils.reading import reading

_SIGNATURE = b"SIMPLE  ="
_BLOCK = 2880
_COPY_AGAIN = "Copy or download it again."
_BITS = (8, 16, 32, 64, -32, -64)
"""Values of BITPIX in the standard."""
_LIMITS = {"NAXIS": 999, "ZNAXIS": 999, "TFIELDS": 999}
"""Largest values in the standard."""
_LENGTHS = re.compile(r"Z?NAXIS\d+|ZTILE\d+|PCOUNT|GCOUNT")
_ONCE = re.compile(r"BITPIX|Z?NAXIS\d*|PCOUNT|GCOUNT|TFIELDS")
"""Keywords whose first and last card astropy mixes."""
_TEXTS = re.compile(r"T(TYPE|FORM|UNIT|DISP|DIM)\d+|C(TYPE|UNIT)\d+|EXTNAME|XTENSION")
"""Keywords that must be text."""
_SCALES = re.compile(r"T(SCAL|ZERO|NULL)\d+|BZERO|BSCALE|BLANK|ZBLANK")
"""Keywords that must be numbers, because astropy computes with them."""


@contextmanager
def open_fits(path: str | PathLike, *, what: str = "a FITS file") -> Iterator[fits.HDUList]:
    """Open a FITS file, plain or gzipped, and check that it is complete.

    A plain file is memory-mapped, a gzipped one is decompressed in memory. Warnings of astropy
    about keywords and units that deviate from the standard are suppressed.

    Parameters
    ----------
    path : path-like
    what : str
        What is accepted, for messages.

    Yields
    ------
    astropy.io.fits.HDUList
        Closed at the end of the block: copy the data that you need later.

    Raises
    ------
    MissingFileError
        If the path does not exist, is a directory, or is not readable.
    TruncatedFileError
        If the file is empty, or shorter than its headers state.
    FileFormatError
        If it is not FITS, or its headers cannot be parsed.
    """
    path = check_input(path)
    remedy = f"Accepted is {what}, plain or gzipped."
    with reading(path), _stream(path) as stream, warnings.catch_warnings():
        # astropy only warns about a file that is too short: _check_length raises an error.
        for remark in (AstropyUserWarning, UnitsWarning, FITSFixedWarning):
            warnings.simplefilter("ignore", remark)
        _check_first_header(stream, path, remedy)
        with reading(path, "a FITS header is damaged"):
            places = _check_headers(stream, path)
            file = fits.open(stream, lazy_load_hdus=False)
            _check_places(file, places, path)
            _check_length(file, stream, path)
            _check_tables(file, path)
        with file:
            yield file


def _stream(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        start = stream.read(2)
    return unpacked(path) if start == GZIP else path.open("rb")


def _check_headers(stream: BinaryIO, path: Path) -> list[int]:
    """Places of the headers; each is checked before astropy follows it to the next."""
    size = stream.seek(0, os.SEEK_END)
    place, places = 0, []
    while place < size:
        stream.seek(place)
        start = stream.read(8)
        stream.seek(place)
        try:
            header = fits.Header.fromfile(stream)
        except (OSError, ValueError, EOFError):
            break
        fault = _header_fault(header)
        if not start.startswith((b"SIMPLE", b"XTENSION")):
            fault = f"extension {len(places)} begins with {start.decode('latin-1').strip()!r}"
        if fault:
            raise FileFormatError(f"a FITS header is damaged ({fault})", path=path)
        for key in ("ZNAXIS", "ZTILE"):
            axes = [header.get(f"{key}{i}", 1) for i in range(1, header.get("ZNAXIS", 0) + 1)]
            check_claim(axes, f"the compressed image ({key})", path, held=size)
        lengths = [header.get(f"NAXIS{i}", 0) for i in range(1, header.get("NAXIS", 0) + 1)]
        values = math.prod(lengths) if lengths else 0
        n_bytes = abs(header["BITPIX"]) // 8 * header.get("GCOUNT", 1)
        n_bytes *= header.get("PCOUNT", 0) + values
        places.append(place)
        place = stream.tell() + -(-n_bytes // _BLOCK) * _BLOCK
    stream.seek(0)
    return places


def _check_places(file: fits.HDUList, places: list[int], path: Path) -> None:
    """Compare where astropy finds headers with where they were checked."""
    found = [hdu.fileinfo()["hdrLoc"] for hdu in file if hasattr(hdu, "fileinfo")]
    if not set(found) <= set(places):
        raise FileFormatError(
            "the headers do not say where the next ones begin", path=path, remedy=_COPY_AGAIN
        )


def _header_fault(header: fits.Header) -> str:
    """First value that astropy would follow into an error, or into all memory; empty if none."""
    seen: dict[str, object] = {}
    for card in header.cards:
        key, value = card.keyword, card.value
        if _ONCE.fullmatch(key) and seen.setdefault(key, value) != value:
            return f"{key} is {seen[key]!r} and {value!r}"
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in ("BITPIX", "ZBITPIX"):
            wrong = value not in _BITS
        elif key in _LIMITS:
            wrong = not isinstance(value, int) or not 0 <= value <= _LIMITS[key]
        elif _LENGTHS.fullmatch(key):
            wrong = not isinstance(value, int) or value < 0
        elif _TEXTS.fullmatch(key):
            wrong = not isinstance(value, str | fits.card.Undefined)
        else:
            wrong = bool(_SCALES.fullmatch(key)) and not number
        if wrong:
            return f"{key} is {value!r}"
    missing = [key for key in ("BITPIX", "NAXIS") if key not in header]
    if missing:
        return f"there is no {missing[0]}"
    return "the table is compressed: decompress it with funpack" if header.get("ZTABLE") else ""


def _check_first_header(stream: BinaryIO, path: Path, remedy: str) -> None:
    """Check that the file starts as FITS and that its first header is complete."""
    start = stream.read(len(_SIGNATURE))
    if not start:
        raise TruncatedFileError("the file is empty", path=path, remedy=remedy)
    if not _SIGNATURE.startswith(start):
        raise FileFormatError("this is not a FITS file", path=path, remedy=remedy)
    stream.seek(0)
    while len(block := stream.read(_BLOCK)) == _BLOCK:
        if any(block[i : i + 8] == b"END     " for i in range(0, _BLOCK, 80)):
            stream.seek(0)
            return
    raise TruncatedFileError("the file ends in its first header", path=path, remedy=_COPY_AGAIN)


def _check_length(file: fits.HDUList, stream: BinaryIO, path: Path) -> None:
    """Compare the length of the file with its headers."""
    last = file[-1]
    if not hasattr(last, "fileinfo"):
        raise TruncatedFileError(
            f"the header of extension {len(file) - 1} is damaged", path=path, remedy=_COPY_AGAIN
        )
    end = last.fileinfo()["datLoc"] + last.fileinfo()["datSpan"]
    size = stream.seek(0, os.SEEK_END)
    if size < end:
        raise TruncatedFileError(
            f"the file is cut off: it has {size} bytes, its headers say {end}",
            path=path,
            remedy=_COPY_AGAIN,
        )
    stream.seek(end)
    if stream.read(8).startswith(b"XTENSION"):
        raise TruncatedFileError(
            f"the header of extension {len(file)} is cut off or damaged",
            path=path,
            remedy=_COPY_AGAIN,
        )


def _check_tables(file: fits.HDUList, path: Path) -> None:
    """Let astropy parse the columns of every table here, where its errors are converted."""
    for hdu in file:
        if not isinstance(hdu, fits.BinTableHDU):
            continue
        rows = hdu.data
        for column in hdu.columns:
            if column.format[:1] in "PQ" or column.format[1:2] in ("P", "Q"):
                # Two rows may name the same values: a small table stands for a large one.
                n = int(np.sum(rows.view(np.ndarray)[column.name][:, 0], dtype=float))
                check_rows(n, f"the number of values of {column.name}", path, held=rows.nbytes)
