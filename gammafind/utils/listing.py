"""Names of files as people give them: patterns, and lists in text files."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from gammafind.errors import MissingFileError
from gammafind.utils.files import check_input, several, split_hdu


def listed(paths: Sequence[str | PathLike] | str | PathLike) -> tuple[Path, ...]:
    """Paths of files, where patterns and lists are replaced by the files that they stand for.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Names; patterns such as ``"week_*.fits"``, sorted; or ``"@list.txt"``, a text file with a
        name or a pattern a line, relative to its folder. A file of exactly that name comes first.
        An HDU in brackets after the name of a file, as in ``"maps.fits[COUNTS]"``, stays there.

    Returns
    -------
    tuple of Path

    Raises
    ------
    MissingFileError
        If no file fits a pattern, or a list cannot be read or is empty.
    """
    return tuple(one for path in several(paths) for one in _of_one(Path(path)))


def _of_one(path: Path) -> list[Path]:
    base, hdu = split_hdu(path)
    try:
        exists = path.exists() or (bool(hdu) and base.is_file())
    except OSError:
        exists = True  # `check_input` says why it cannot be reached.
    if exists:
        return [path]
    if path.name.startswith("@") or str(path).startswith("@"):
        return _of_list(Path(str(path).replace("@", "", 1)))
    if not glob.has_magic(str(path)):
        return [path]
    found = sorted(glob.glob(str(path)))
    if not found:
        raise MissingFileError("no file fits this pattern", path=path)
    return [Path(name) for name in found]


def _of_list(path: Path) -> list[Path]:
    try:
        lines = check_input(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise MissingFileError(
            "the list of files is no text", path=path, remedy="Write one name a line."
        ) from None
    names = [line.strip() for line in lines]
    names = [name for name in names if name and not name.startswith("#")]
    if not names:
        raise MissingFileError("the list names no file", path=path)
    try:
        return [one for name in names for one in _of_one(path.parent / name)]
    except MissingFileError as error:
        if error.path == path:
            raise
        raise MissingFileError(
            f"it names {error.path}: {error.fault}", path=path, remedy=error.remedy
        ) from error
