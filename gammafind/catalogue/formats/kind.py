"""The format of a table file, as its content shows it."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from typing import BinaryIO

from gammafind.errors import FileFormatError, TruncatedFileError
from gammafind.utils.limits import GZIP

_HEAD = 4096
"""Bytes that are looked at: a VOTable may begin with comments."""
_FITS = b"SIMPLE  ="
_VOTABLE = re.compile(rb"<(?:\w+:)?VOTABLE\b")
_MODEL = b"<source_library"
_ECSV = b"# %ECSV"
_SUFFIXES = {".fits": "FITS", ".fit": "FITS", ".vot": "VOTable", ".votable": "VOTable"}


def kind_of(path: Path) -> str:
    """Format of a file: ``"FITS"``, ``"VOTable"``, ``"ECSV"`` or ``"text"``.

    Parameters
    ----------
    path : Path
        Gzipped or not. Its suffix counts only where the content shows nothing.

    Raises
    ------
    TruncatedFileError
        If a gzipped file ends early.
    FileFormatError
        If it is a model of sources for gtlike, or another kind of XML.
    """
    head = _head(path)
    if head.startswith(_FITS):
        return "FITS"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if _VOTABLE.search(text):
        return "VOTable"
    if _MODEL in text:
        raise FileFormatError(
            "this is a model of sources (XML), not a catalogue",
            path=path,
            remedy="Give the FITS file of the catalogue.",
        )
    if text.startswith(_ECSV):
        return "ECSV"
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".ecsv"):
        return "ECSV"
    suffix = Path(name).suffix
    return _SUFFIXES.get(suffix, "VOTable" if text.startswith(b"<") else "text")


def _head(path: Path) -> bytes:
    """First bytes of a file, decompressed."""
    with path.open("rb") as stream:
        packed = stream.read(len(GZIP)) == GZIP
        stream.seek(0)
        return _unpacked(stream, path) if packed else stream.read(_HEAD)


def _unpacked(stream: BinaryIO, path: Path) -> bytes:
    try:
        with gzip.open(stream) as unpacked:
            return unpacked.read(_HEAD)
    except (EOFError, zlib.error, OSError) as error:
        raise TruncatedFileError(
            f"the gzip file is damaged ({error})", path=path, remedy="Copy or download it again."
        ) from error
