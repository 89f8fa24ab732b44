"""A page of figures from a catalogue and its maps."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from pathlib import Path

from astropy.units import Quantity

from gammafind.catalogue.io import read_table
from gammafind.catalogue.prov import readable
from gammafind.catalogue.schema import SHARED
from gammafind.evaluation.against import summarise
from gammafind.evaluation.numbers import Summary
from gammafind.pipeline.evaluate import match_radius
from gammafind.pipeline.inputs import OnePath, Table, path_list, table_of
from gammafind.pipeline.products import atomic_folder, check_folder
from gammafind.sky.bands import Band
from gammafind.sky.fits import read_counts
from gammafind.sky.skymap import SkyMap
from gammafind.utils.files import of_file
from gammafind.views.write import write_report


def report(
    catalogue: Table,
    counts: OnePath | Sequence[OnePath] | SkyMap,
    folder: str | PathLike,
    *,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    reference: Table | None = None,
    radius: Quantity | None = None,
    overwrite: bool = False,
) -> Summary:
    """Write a page that shows a catalogue on its maps.

    Parameters
    ----------
    catalogue : path-like or QTable
        From `gammafind.detect`, n rows.
    counts : path-like, sequence of path-like or SkyMap
        The maps that were searched.
    folder : path-like
        Made if it does not exist.
    bands, frame : object
        As for `gammafind.detect`.
    reference : str, path-like or QTable, optional
        Catalogue to compare with.
    radius : Quantity, optional
        Match radius, an angle; by default that with which the catalogue was made, or 0.3 deg.
    overwrite : bool
        Whether files that exist may be replaced.

    Returns
    -------
    Summary
        Numbers found and, with a reference, purity and completeness.

    Raises
    ------
    OutputError
        If the folder holds something and may not be filled, or cannot be written.
    InputFileError, TableError
        If a file cannot be used, or a table lacks a column.

    Examples
    --------
    >>> import tempfile
    >>> import gammafind
    >>> counts = gammafind.demo_sky("M 87")
    >>> result = gammafind.detect(counts, localiser="likelihood")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     summary = gammafind.report(result.catalogue, counts, folder)
    >>> summary.n_detections == len(result.catalogue)
    True
    """
    folder = check_folder(folder, overwrite=overwrite)
    naming: AbstractContextManager[None] = nullcontext()
    if isinstance(catalogue, str | PathLike):
        naming = of_file(catalogue)
        catalogue = read_table(catalogue, schema=SHARED)
    if not isinstance(counts, SkyMap):
        counts = read_counts(path_list(counts), bands=bands, frame=frame)
    truth = table_of(reference)
    within = match_radius(radius, catalogue)
    with naming:
        summary = summarise(catalogue, truth, radius=within, counts=counts)
    with atomic_folder(Path(folder), overwrite) as filled:
        write_report(
            filled,
            catalogue,
            counts,
            reference=truth,
            summary=summary,
            provenance=readable(catalogue.meta),
        )
    return summary
