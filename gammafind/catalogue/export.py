"""A catalogue in files of any format, by the suffix of the file name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from astropy.table import QTable

from gammafind.catalogue.formats.fermitools import write_fermitools
from gammafind.catalogue.formats.gadf_sed import write_flux_points
from gammafind.catalogue.formats.gammapy_models import write_gammapy_models
from gammafind.catalogue.formats.moc import write_moc
from gammafind.catalogue.io import TABLE_SUFFIXES, write_table
from gammafind.catalogue.prov import prov_document
from gammafind.catalogue.regions import write_regions
from gammafind.errors import GammafindError, OutputError
from gammafind.utils.files import atomic_output, check_output, of_file

Writer = Callable[[QTable, Path], None]


@dataclass(frozen=True)
class Format:
    """A kind of file that a catalogue can be written to.

    Attributes
    ----------
    suffix : str
    name : str
        For people.
    write : callable
        Of a catalogue and a path at which there is nothing.
    folder : bool
        Whether it makes a folder.
    """

    suffix: str
    name: str
    write: Writer
    folder: bool = False


def _write_catalogue(table: QTable, path: Path) -> None:
    """Write a table; without rows, text has no columns of several numbers, which need a row."""
    if not len(table) and path.name.lower().endswith(_TEXTS):
        table = table[[name for name in table.colnames if table[name].ndim == 1]]
    write_table(table, path)


def _write_provenance(table: QTable, path: Path) -> None:
    path.write_text(json.dumps(prov_document(table.meta), indent=1) + "\n", encoding="utf-8")


_TEXTS = (".ecsv", ".csv")
_TABLE_NAMES = {"ecsv": "ECSV", "csv": "CSV", "vot": "VOTable", "xml": "VOTable"}

FORMATS = (
    *(
        Format(suffix, f"table, {_TABLE_NAMES.get(suffix.strip('.'), 'FITS')}", _write_catalogue)
        for suffix in TABLE_SUFFIXES
    ),
    Format(".reg", "regions of DS9", write_regions),
    Format(".model.xml", "models for the Fermitools and fermipy", write_fermitools),
    Format(".yaml", "models for gammapy", write_gammapy_models),
    Format(".yml", "models for gammapy", write_gammapy_models),
    Format(".sed", "folder of flux points, one FITS file a source", write_flux_points, folder=True),
    Format(".moc.fits", "region that was searched, a MOC", write_moc),
    Format(".prov.json", "provenance, PROV-JSON", _write_provenance),
)
"""All of them; the longest suffix that fits a name counts."""
_FOLDERS = tuple(one.suffix for one in FORMATS if one.folder)


def format_of(path: str | PathLike) -> Format:
    """Format that the suffix of a name says.

    Raises
    ------
    OutputError
        If there is none.
    """
    path = Path(path)
    name = path.name.lower()
    known = [one for one in FORMATS if name.endswith(one.suffix)]
    if not known:
        remedy = f"Accepted are {', '.join(one.suffix for one in FORMATS)}."
        raise OutputError(f"the suffix {path.suffix!r} is unknown", path=path, remedy=remedy)
    return max(known, key=lambda one: len(one.suffix))


def check_export(path: str | PathLike, *, overwrite: bool = False) -> Path:
    """Path of a file or folder that can be made.

    Raises
    ------
    OutputError
        If the suffix is unknown, the directory does not exist, or there is something at ``path``
        that may not be replaced.
    """
    path = Path(path)
    makes_folder = path.name.lower().endswith(_FOLDERS)
    if makes_folder and path.exists():
        raise OutputError(
            "the folder of flux points exists already",
            path=path,
            remedy="Choose another name, or remove it first.",
        )
    check_output(path, overwrite=overwrite)
    format_of(path)
    return path


def write_catalogue(table: QTable, path: str | PathLike, *, overwrite: bool = False) -> None:
    """Write a catalogue in the format of the suffix, whole or not at all.

    Parameters
    ----------
    table : QTable
    path : path-like
        Ends in the suffix of one of `FORMATS`.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        As `check_export`.
    TableError
        If the format cannot hold the catalogue, or the catalogue lacks what the format needs.
    """
    path = check_export(path, overwrite=overwrite)
    with atomic_output(path, overwrite) as temporary:
        write_in_place_of(path, table, temporary)


def write_in_place_of(path: Path, table: QTable, temporary: Path) -> None:
    """Write a catalogue to a temporary path; errors name the path that it will have.

    Parameters
    ----------
    path : Path
        Whose suffix says the format.
    table : QTable
    temporary : Path
        Where to write.
    """
    try:
        with of_file(path):
            format_of(path).write(table, temporary)
    except GammafindError as error:
        if error.path != temporary:
            raise
        raise type(error)(error.fault, path=path, remedy=error.remedy) from error
