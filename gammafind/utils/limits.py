"""How much a file may claim to hold: a few bytes must not fill the memory."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gammafind.errors import FileFormatError, TruncatedFileError

GZIP = b"\x1f\x8b"
"""First bytes of a gzipped file."""
_FREE = 1 << 24
"""Values that any file may claim: a map of NSIDE 1024 in double precision, 134 MB."""
_PER_VALUE = 1 << 16
"""Values that each stored one may claim beyond: a list of the pixels of a region of 0.3 deg becomes
a map of the whole sky."""
_MOST_VALUES = 1 << 29
"""Values in one image or all maps of a table, 4 GiB in double precision: more fill the memory."""
_MOST_UNPACKED = 1 << 31
"""Bytes of a gzipped file when decompressed in memory; larger ones must lie on the disk as they
are."""
_SMALL = 1 << 28
"""Bytes that any gzipped file may expand to: an empty map does so a thousandfold."""
_EXPANSION = 100
"""Times that larger files may expand: maps of few photons do so twentyfold."""
_CHUNK = 1 << 24
_MOST_NODES = 200_000
"""Entries of metadata when aliases are written out; those of a long search have thousands."""
_MOST_COLUMNS = 5000
"""Five times those that a table in FITS may have; the time for columns grows with their square."""
_AGAIN = "Copy or download it again."


def check_claim(shape: Sequence[int], what: str, path: Path, *, held: float = math.inf) -> None:
    """Refuse arrays that a header claims to be larger than the file can mean.

    Parameters
    ----------
    shape : sequence of int
        Lengths of the axes.
    what : str
        For messages.
    path : Path
    held : float
        Number of values, or bytes, in the file from which the array is made; by default only the
        size itself is checked.

    Raises
    ------
    FileFormatError
    """
    size = math.prod(map(float, shape))
    shown = " x ".join(map(str, shape))
    if any(length < 0 for length in shape) or not size <= _MOST_VALUES:
        raise FileFormatError(
            f"{what} has {shown} values",
            path=path,
            remedy=f"At most {_MOST_VALUES} are read: bin the photons on larger pixels.",
        )
    if size > max(_FREE, _PER_VALUE * held):
        raise FileFormatError(
            f"{what} claims {shown} values, which the file cannot hold",
            path=path,
            remedy="Bin the photons on larger pixels, or correct the header.",
        )


def check_rows(claimed: int, what: str, path: Path, *, held: int) -> None:
    """Refuse a number of rows above that of bytes in the file.

    Raises
    ------
    FileFormatError
    """
    if not 0 <= claimed <= held:
        raise FileFormatError(f"{what} is {claimed}, the file has {held} bytes", path=path)


def check_columns(n: int, path: Path) -> None:
    """Refuse a table of more columns than can be read in good time.

    Raises
    ------
    FileFormatError
    """
    if n > _MOST_COLUMNS:
        raise FileFormatError(
            f"the table has {n} columns",
            path=path,
            remedy=f"At most {_MOST_COLUMNS} are read: leave some out.",
        )


def unpacked(path: Path) -> io.BytesIO:
    """Content of a gzipped file, in memory.

    Raises
    ------
    TruncatedFileError
        If it is cut off.
    FileFormatError
        If it is damaged, or expands to more than its size makes likely.
    """
    packed = path.stat().st_size
    most = min(_MOST_UNPACKED, max(_SMALL, _EXPANSION * packed))
    content = io.BytesIO()
    try:
        with gzip.open(path) as stream:
            while chunk := stream.read(_CHUNK):
                if content.tell() + len(chunk) > most:
                    raise FileFormatError(
                        f"the gzipped file of {packed} bytes has more than {most >> 20} MiB of "
                        "data",
                        path=path,
                        remedy="Decompress it first: plain files are not read into memory.",
                    )
                content.write(chunk)
    except EOFError:
        raise TruncatedFileError("the gzipped file is cut off", path=path, remedy=_AGAIN) from None
    except (zlib.error, gzip.BadGzipFile) as fault:
        raise FileFormatError(
            f"the gzipped file cannot be decompressed ({fault})", path=path, remedy=_AGAIN
        ) from None
    content.seek(0)
    return content


def check_nodes(tree: Any, what: str, path: Path) -> None:
    """Refuse nested lists and mappings that have too many entries when written out.

    Aliases of YAML let a few lines stand for billions of entries, or for themselves.

    Raises
    ------
    FileFormatError
    """
    if _n_nodes(tree, {}) > _MOST_NODES:
        raise FileFormatError(
            f"{what} has more than {_MOST_NODES} entries when its aliases are written out",
            path=path,
            remedy="Remove the aliases (&name and *name).",
        )


def _n_nodes(tree: Any, known: dict[int, float]) -> float:
    """Entries of a tree, infinite if it holds itself; each object is counted once and kept."""
    if not isinstance(tree, Mapping | list | tuple | set):
        return 1
    place = id(tree)
    if place in known:
        return known[place]
    known[place] = math.inf
    inner = [*tree.keys(), *tree.values()] if isinstance(tree, Mapping) else tree
    known[place] = 1 + sum(_n_nodes(one, known) for one in inner)
    return known[place]
