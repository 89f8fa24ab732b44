"""Response files in a folder: in the layout of CALDB, or all in one place."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from gammafind.errors import MissingFileError, ResponseError

_KINDS = {"psf": "psf", "aeff": "ea", "edisp": "edisp"}
"""Kinds of files, and the folder of CALDB that holds each."""
_ROOTS = ("", "bcf", "data/glast/lat/bcf")
"""Where these folders can be in the given one; the last is the place in CALDB."""
_PARTITIONS = {"FRONT": "FB", "BACK": "FB"}
"""Last part of the file name where it is not the event type without its number."""


def response_files(
    folder: str | PathLike, irf: str, event_types: Sequence[str]
) -> tuple[Path, Path, Path | None]:
    """Find the files of a response in a folder.

    Parameters
    ----------
    folder : path-like
        A CALDB folder, with ``data/glast/lat/bcf/{psf,ea,edisp}``, a part of it, or a folder that
        holds all files directly.
    irf : str
        Such as ``"P8R3_TRANSIENT020_V3"``.
    event_types : sequence of str
        Types of one partition of the events: they are in one file.

    Returns
    -------
    tuple of Path
        Files ``psf_*``, ``aeff_*`` and ``edisp_*``; the last is None if there is none.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    ResponseError
        If the folder does not hold the first two files; the message lists responses that are there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(
            "there is no such folder",
            path=folder,
            remedy="caldb and $CALDB name a folder with files psf_*, aeff_* and edisp_*.",
        )
    first = event_types[0]
    partition = _PARTITIONS.get(first, first.rstrip("0123456789"))
    found = {kind: _find(folder, kind, f"{irf}_{partition}") for kind in _KINDS}
    missing = [kind for kind in ("psf", "aeff") if found[kind] is None]
    if missing:
        names = ", ".join(f"{kind}_{irf}_{partition}.fits" for kind in missing)
        raise ResponseError(f"there is no {names}", path=folder, remedy=_listed(folder))
    return found["psf"], found["aeff"], found["edisp"]


def _find(folder: Path, kind: str, name: str) -> Path | None:
    for place in _places(folder, kind):
        for ending in (".fits", ".fits.gz"):
            path = place / f"{kind}_{name}{ending}"
            if path.is_file():
                return path
    return None


def _places(folder: Path, kind: str) -> tuple[Path, ...]:
    return (folder, *(folder / root / _KINDS[kind] for root in _ROOTS))


def _listed(folder: Path) -> str:
    """Say which responses a folder holds."""
    names = {
        path.name.split(".fits")[0].removeprefix("psf_").rpartition("_")[0]
        for place in _places(folder, "psf")
        for path in place.glob("psf_*.fits*")
    }
    if not names:
        return "It holds no psf_* file, neither directly nor in data/glast/lat/bcf/psf."
    return f"It holds {', '.join(sorted(names))}."
