"""What a VOTable may not do: reach for other files, and claim more than it holds."""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from gammafind.errors import FileFormatError
from gammafind.utils.limits import check_claim, check_rows

_DEEPEST = 50
"""Levels of elements; those of real files have about ten."""
_PADDING = 64
"""Values of a fixed length that a byte of the file may stand for: short texts in long fields."""
_NUMBER = re.compile(r"\d+")


def check_votable(content: bytes, path: Path) -> None:
    """Refuse a VOTable that names other files, defines entities, or claims more than it holds.

    Parameters
    ----------
    content : bytes
    path : Path

    Raises
    ------
    FileFormatError
        If data are at another address, so that reading them would open a file or a connection; or
        if rows or arrays are too many, or elements too deep.
    """
    _Check(content, path).run()


class _Check:
    """Looks at each element as expat meets it."""

    def __init__(self, content: bytes, path: Path) -> None:
        self.content, self.path = content, path
        self.depth = self.rows = self.in_a_row = 0

    def run(self) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = self._entity
        parser.Parse(self.content, True)
        self._check_size()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FileFormatError("the elements of the VOTable are too deep", path=self.path)
        kind = name.rpartition(":")[2].upper()
        if kind == "TABLE":
            self._check_size()
            self.rows = self.in_a_row = 0
        elif kind == "TR":
            self.rows += 1
        elif kind == "FIELD":
            self.in_a_row += self._length(attributes.get("arraysize", "1"))
        if kind == "STREAM" and any(key.lower() == "href" for key in attributes):
            raise FileFormatError(
                "the data of the VOTable are in another file",
                path=self.path,
                remedy="Save it with its data, as TABLEDATA or BINARY.",
            )
        claimed = attributes.get("nrows", "") if kind == "TABLE" else ""
        if _NUMBER.fullmatch(claimed):
            check_rows(_whole(claimed), "nrows", self.path, held=len(self.content))

    def _end(self, _: str) -> None:
        self.depth -= 1

    def _entity(self, name: str, *_: object) -> None:
        raise FileFormatError(
            f"the VOTable defines the entity {name}", path=self.path, remedy="Write it out."
        )

    def _length(self, size: str) -> int:
        """Values of a cell with a fixed length; the last axis may be of any length."""
        length = 1
        for axis in _NUMBER.findall(size.split("*")[0] if "*" in size else size):
            length *= _whole(axis)
        check_claim([length], f"arraysize {size}", self.path, held=len(self.content))
        return length

    def _check_size(self) -> None:
        check_claim(
            [max(self.rows, 1), self.in_a_row],
            "the VOTable",
            self.path,
            held=_PADDING * len(self.content) / (1 << 16),
        )


def _whole(digits: str) -> int:
    """Number of some digits; any that is too large for a file has the same value."""
    return int(digits) if len(digits) < 19 else 10**18
