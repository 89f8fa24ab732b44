"""Tables as text that others wrote: comma, tab or blank between columns, IPAC, CDS, VizieR."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import ascii
from astropy.table import Table

from gammafind.catalogue.formats.repeated import check_quotes, check_repeated
from gammafind.catalogue.position_columns import position_columns, position_parts
from gammafind.errors import FileFormatError
from gammafind.units import parsed_unit
from gammafind.utils.limits import GZIP, unpacked

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
"""First bytes of texts as spreadsheets save them."""
_DELIMITERS = (",", "\t", ";", "|")
_CDS = "Byte-by-byte Description"
_DASHES = re.compile(r"[-\s,;|:+]*-[-\s,;|:+]*")
_MISSING = "*"
"""Cell without a value in the catalogue of pulsars of the ATNF."""
_UNIT = re.compile(r"[\[(]\s*([^\[\]()]+?)\s*[\])]\s*$")
"""Unit in brackets at the end of a name."""
_REMEDY = (
    "Accepted are columns with names in the first line, separated by commas, tabs, semicolons, "
    "bars or blanks, and the formats of IPAC, CDS and VizieR."
)


def read_bytes(path: Path) -> bytes:
    """Content of a file, gzipped or not."""
    with path.open("rb") as stream:
        packed = stream.read(len(GZIP)) == GZIP
    return unpacked(path).getvalue() if packed else path.read_bytes()


def read_text(path: Path) -> str:
    """Text of a file, gzipped or not, in UTF-8, UTF-16 or, where these fail, in Latin-1.

    Raises
    ------
    FileFormatError
        If it is no text.
    """
    content = read_bytes(path)
    if content.startswith(_UTF16):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content[:4096]:
        raise FileFormatError("this is neither FITS nor text", path=path, remedy=_REMEDY)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def read_text_table(path: Path) -> Table:
    """Read a table whose format its text shows.

    Raises
    ------
    FileFormatError
        If the text is no table of two columns or more.
    """
    lines = read_text(path).splitlines()
    table = _read(lines, path)
    if len(table.colnames) < 2:
        raise FileFormatError("the text is no table of several columns", path=path, remedy=_REMEDY)
    return table


def _read(lines: list[str], path: Path) -> Table:
    if any(line.startswith(_CDS) for line in lines):
        return _by_astropy(lines, path, "cds" if _is_cds(lines) else "mrt")
    below = [line for line in lines if line.strip() and not line.startswith(("\\", "#"))]
    if [line[0] for line in below[:2]] == ["|", "|"] and below[-1][0] != "|":
        return _by_astropy(lines, path, "ipac")
    if below and set(below[0]) == {"=", " "}:
        return _by_astropy(below, path, "rst")
    below = [line.strip().strip("|") if line.startswith("|") else line for line in below]
    rules = [i for i, line in enumerate(below) if _DASHES.fullmatch(line) and "-" in line]
    if rules and 0 < rules[0] <= 2:
        return _of_vizier([line.strip("|") for line in lines], path)
    return _of_rows(_without_frame(lines), path)


def _without_frame(lines: list[str]) -> list[str]:
    """Lines without the bars at their ends, if all have them."""
    body = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    framed = all(line.startswith("|") and line.endswith("|") for line in body)
    return [line.strip().strip("|") for line in lines] if framed else lines


def _is_cds(lines: list[str]) -> bool:
    """Whether rows end with lines of dashes as at the CDS, and not in the manner of the AAS."""
    return not any(line.startswith("Title:") for line in lines[:5])


def _by_astropy(lines: list[str], path: Path, form: str, **options: str) -> Table:
    try:
        return ascii.read(lines, format=form, guess=False, **options)
    except Exception as error:  # Readers of astropy raise errors of many kinds.
        raise FileFormatError(
            f"the text is no table of the format {form} ({error})", path=path, remedy=_REMEDY
        ) from error


def _of_vizier(lines: list[str], path: Path) -> Table:
    """Table with a line of units and a line of dashes below its head; the first with positions."""
    tables = [_of_block(block, path) for block in _blocks(lines)]
    found = [one for one in tables if position_columns(one) or position_parts(one)]
    return (found or tables)[0]


def _blocks(lines: list[str]) -> list[list[str]]:
    """Lines of each table: those with one line of dashes near the top."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip() and not line.startswith("#"):
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if any(_DASHES.fullmatch(line) for line in block[:3])]


def _of_block(block: list[str], path: Path) -> Table:
    rule = next(i for i, line in enumerate(block) if _DASHES.fullmatch(line))
    delimiter = next((one for one in ("\t", ";", "|", ",") if one in block[rule]), None)
    if delimiter is None:
        return _by_astropy(block, path, "fixed_width_two_line")
    rows = [[cell.strip() for cell in line.split(delimiter)] for line in block]
    table = _table(rows[0], rows[rule + 1 :], path)
    for name, unit in zip(table.colnames, rows[1] if rule == 2 else [], strict=False):
        table[name].unit = _unit_of(unit)
    return table


def _unit_of(text: str) -> u.UnitBase | None:
    """Unit of a column, kept as it is spelled where it is not understood."""
    return (parsed_unit(text) or u.UnrecognizedUnit(text)) if text else None


def _of_rows(lines: list[str], path: Path) -> Table:
    """Table with a head and rows, where the delimiter follows from the text."""
    body = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    comments = [line.lstrip("# \t") for line in lines if line.lstrip().startswith("#")]
    if not body:
        body, comments = [line for line in comments[-1:] if line], []
    if not body:
        raise FileFormatError("the file holds no table", path=path, remedy=_REMEDY)
    delimiter = _delimiter(body)
    try:
        rows = _split(body, delimiter)
    except csv.Error as error:
        raise FileFormatError(
            f"a quotation mark is open ({error})", path=path, remedy=_REMEDY
        ) from None
    width = Counter(map(len, rows)).most_common(1)[0][0]
    check_quotes(
        [[row[i] for row in rows if i < len(row)] for i in range(width)], delimiter or " ", path
    )
    head, rows = _head(rows, _split(comments, delimiter)[-1:], body[0].split(), width)
    if delimiter is None and not rows:  # A line of words is no head of a table.
        raise FileFormatError("the file holds no table", path=path, remedy=_REMEDY)
    if rows and _are_units(rows[0]):
        head = [f"{name} {unit}" for name, unit in zip(head, rows.pop(0), strict=True)]
    return _table(head, rows, path)


def _are_units(row: list[str]) -> bool:
    """Whether most cells that are not empty are units in brackets."""
    filled = [cell for cell in row if cell]
    return sum(bool(_UNIT.fullmatch(cell)) for cell in filled) > len(filled) / 2


def _head(
    rows: list[list[str]], comments: list[list[str]], blanks: list[str], width: int
) -> tuple[list[str], list[list[str]]]:
    """Names of the columns, and all other rows.

    The names are in the first line or, where rows have numbers or units there, in the last
    comment. They may be apart by blanks where the cells below are apart by another mark.
    """
    commented = [row for row in comments if len(row) == width]
    if commented and any(_is_number(cell) or _UNIT.fullmatch(cell) for cell in rows[0]):
        return commented[0], rows
    if len(rows[0]) != width and len(blanks) in (width, width - 1):
        return [*blanks, ""][:width], rows[1:]
    return rows[0], rows[1:]


def _delimiter(body: list[str]) -> str | None:
    """Mark between columns: that which cuts the lines into most columns, the same in all."""
    best: tuple[int, str | None] = (1, None)
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in _split(body, delimiter)]
        except csv.Error:
            continue
        width, times = Counter(widths).most_common(1)[0]
        if width > best[0] and times > 0.9 * len(widths):
            best = (width, delimiter)
    return best[1]


def _split(lines: list[str], delimiter: str | None) -> list[list[str]]:
    if delimiter is None:
        lines = [" ".join(line.split()) for line in lines]
        delimiter = " "
    ended = (f"{line}\n" for line in lines)
    rows = csv.reader(ended, delimiter=delimiter, skipinitialspace=True, strict=True)
    return [[cell.strip() for cell in row] for row in rows]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _table(head: list[str], rows: list[list[str]], path: Path) -> Table:
    """Table of cells; columns of numbers become such, where empty cells are missing."""
    wrong = [i for i, row in enumerate(rows, start=1) if len(row) != len(head)]
    if wrong:
        raise FileFormatError(
            f"row {wrong[0]} has {len(rows[wrong[0] - 1])} columns, the head has {len(head)}",
            path=path,
            remedy=_REMEDY,
        )
    names = _distinct([name.strip().strip('"') or f"col{i}" for i, name in enumerate(head, 1)])
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    table = Table({name: _values(cells) for name, cells in zip(names, columns, strict=True)})
    check_repeated(head, path)
    table.remove_columns([n for n, name in zip(names, head, strict=True) if not name and rows])
    for name in table.colnames:
        in_brackets = _UNIT.search(name)
        if in_brackets:
            table[name].unit = parsed_unit(in_brackets[1])
    return table


def _distinct(names: list[str]) -> list[str]:
    """Names of which none occurs twice: later ones get a number."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result


def _values(cells: tuple[str, ...]) -> np.ndarray:
    """Cells as integers, floats or text; empty cells of numbers are NaN."""
    cells = tuple("" if cell == _MISSING else cell for cell in cells)
    here = [cell for cell in cells if cell]
    for kind in (int, float):
        try:
            numbers = [kind(cell) for cell in here]
        except ValueError:
            continue
        if kind is int and (len(here) < len(cells) or any(abs(n) > 2**62 for n in numbers)):
            continue
        filled = iter(numbers)
        return np.array([next(filled) if cell else np.nan for cell in cells], dtype=kind)
    return np.array(cells, dtype=str)
