"""A catalogue in the formats of other programs."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from os import PathLike
from pathlib import Path

from astropy.table import QTable

from gammafind.catalogue.columns import texts_of
from gammafind.catalogue.export import check_export, write_in_place_of
from gammafind.errors import GammafindError, OptionError
from gammafind.pipeline.extended import shapes_of_names
from gammafind.pipeline.inputs import Table, read_catalogue, table_of
from gammafind.pipeline.result import Result
from gammafind.utils.files import atomic_output

_log = logging.getLogger("gammafind")


def export(
    catalogue: Table | Result,
    *paths: str | PathLike,
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Write a catalogue to files whose suffixes say the formats, all or none.

    Parameters
    ----------
    catalogue : Result, str, path-like or QTable
        A catalogue of gammafind or of others, or the name of one that comes with the package.
    *paths : path-like
        ``.ecsv``, ``.fits``, ``.vot``, ``.csv``: tables; ``.reg``: regions of DS9; ``.model.xml``:
        models for the Fermitools; ``.yaml``: models for gammapy; ``.sed``: a folder of flux points;
        ``.moc.fits``: the region that was searched; ``.prov.json``: how the catalogue was made.
    overwrite : bool
        Whether files that exist may be replaced.

    Returns
    -------
    tuple of Path
        What was written.

    Raises
    ------
    OptionError
        If no path is given, or one twice.
    OutputError
        If a suffix is unknown, or a file exists and may not be replaced.
    TableError
        If the catalogue lacks what a format needs, such as spectra.
    InputFileError
        If the catalogue cannot be read.

    Examples
    --------
    >>> import gammafind
    >>> gammafind.export("4fgl-dr2", "4fgl.reg", "4fgl.yaml")  # doctest: +SKIP
    (PosixPath('4fgl.reg'), PosixPath('4fgl.yaml'))
    """
    if not paths:
        raise OptionError("no file is given", remedy="Name at least one (-o on the command line).")
    chosen = tuple(check_export(path, overwrite=overwrite) for path in paths)
    places = [os.path.realpath(path) for path in chosen]
    if len(set(places)) < len(places):
        twice = next(path for path in chosen if places.count(os.path.realpath(path)) > 1)
        raise OptionError("the file is given twice", path=twice, remedy="Name each once.")
    if isinstance(catalogue, str | PathLike) and os.path.realpath(catalogue) in places:
        raise OptionError(
            "the file is both input and output", path=catalogue, remedy="Choose another name."
        )
    table = catalogue.catalogue if isinstance(catalogue, Result) else table_of(catalogue)
    table = with_shapes(table)
    with ExitStack() as pending:
        for path in chosen:
            temporary = pending.enter_context(atomic_output(path, overwrite))
            write_in_place_of(path, table, temporary)
    return chosen


def with_shapes(catalogue: QTable) -> QTable:
    """Add the shapes of extended sources that were in the model of the search.

    Parameters
    ----------
    catalogue : QTable
        ``Extended_Source_Name`` says which they are, and ``extended`` of the metadata whose they
        are: the name of a catalogue, or a file.
    """
    names = texts_of(catalogue, "Extended_Source_Name")
    source = catalogue.meta.get("extended")
    if not isinstance(source, str) or "extension_model" in catalogue.colnames or not names.any():
        return catalogue
    try:
        known = read_catalogue(source)
    except GammafindError:
        _log.warning("the shapes of extended sources are not at hand: %s", source)
        return catalogue
    return shapes_of_names(catalogue, known, texts_of(known, "Extended_Source_Name"))
