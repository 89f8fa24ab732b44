"""The files that a run leaves: checked before the work starts, written all or none."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from astropy.table import QTable

from gammafind.catalogue.columns import texts_of
from gammafind.catalogue.export import check_export, format_of, write_in_place_of
from gammafind.catalogue.io import check_table
from gammafind.catalogue.prov import readable
from gammafind.catalogue.regions import write_regions
from gammafind.errors import OutputError, TableError
from gammafind.evaluation.numbers import Summary
from gammafind.fitting.photons.goodness import Goodness
from gammafind.pipeline.inputs import read_catalogue
from gammafind.sky.fits.write_scores import write_scores
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.utils.files import (
    atomic_output,
    check_output,
    check_place,
    check_writable,
    naming_output,
    temporary_folder,
)
from gammafind.utils.locks import LOCK
from gammafind.utils.progress import stage
from gammafind.views.localisers import Search
from gammafind.views.write import write_report

_ASCII = (".fits", ".fits.gz", ".fit", ".fit.gz")
"""Suffixes of tables that hold texts of ASCII alone."""


def _check_names(source: str | PathLike) -> None:
    """Refuse a catalogue with names that FITS cannot hold, before the work that gives them.

    Raises
    ------
    TableError
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # They are shown when the catalogue is used.
        names = texts_of(read_catalogue(source), "source_name")
    strange = [name for name in names.tolist() if not name.isascii()]
    if strange:
        raise TableError(
            f"the name {strange[0]!r} cannot be written as FITS, which holds ASCII",
            path=source,
            remedy="Write .ecsv or .vot, or change the name.",
        )


class Findings(Protocol):
    """What products are made of: a `gammafind.pipeline.result.Result`."""

    catalogue: QTable
    counts: SkyMap
    reference: QTable | None
    summary: Summary
    residuals: Goodness | None
    scores: SkyMap | None
    observation: Observation | None
    beside: tuple[Findings, ...]

    @property
    def searches(self) -> tuple[Search, ...]:
        """Numbers of each localiser."""


@dataclass(frozen=True, kw_only=True)
class Products:
    """Where the products of a run go.

    Parameters
    ----------
    tables : tuple of Path
        The catalogue, in the format of each suffix: see `gammafind.catalogue.export`.
    regions : Path, optional
        DS9 region file.
    report : Path, optional
        Folder of the page and its figures.
    residuals : Path, optional
        FITS file of the maps of residuals.
    overwrite : bool
        Whether files that exist may be replaced.
    only_tables : bool
        Whether ``tables`` are in the formats of `gammafind.catalogue.io.write_table` alone.
    beside : tuple of Products
        Tables and regions of the localisers after the first, in their order; the report shows
        them all.
    """

    tables: tuple[Path, ...] = ()
    regions: Path | None = None
    report: Path | None = None
    residuals: Path | None = None
    overwrite: bool = False
    only_tables: bool = False
    beside: tuple[Products, ...] = ()

    @classmethod
    def in_folder(cls, folder: Path, name: str, **others: Any) -> Products:
        """Tables of three formats and regions in a folder, all under one name."""
        tables = tuple(folder / f"{name}{suffix}" for suffix in (".ecsv", ".fits", ".vot"))
        return cls(tables=tables, regions=folder / f"{name}.reg", **others)

    @property
    def files(self) -> tuple[Path, ...]:
        """Tables, regions and maps of all localisers."""
        others = (path for products in self.beside for path in products.files)
        return (*self.tables, *filter(None, (self.regions, self.residuals)), *others)

    def with_beside(self, localisers: Sequence[str]) -> Products:
        """Add tables and regions of further localisers, with their names in front."""

        def named(path: Path, localiser: str) -> Path:
            return path.with_name(f"{localiser}-{path.name}")

        beside = (
            Products(
                tables=tuple(named(path, localiser) for path in self.tables),
                regions=self.regions and named(self.regions, localiser),
            )
            for localiser in localisers
        )
        return replace(self, beside=tuple(beside))

    def check(
        self,
        *,
        inputs: Sequence[str | PathLike | None] = (),
        named_after: Sequence[str | PathLike | None] = (),
    ) -> None:
        """Check that all can be written, and that none is one of ``inputs``.

        Parameters
        ----------
        inputs : sequence of path-like or None
        named_after : sequence of path-like or None
            Catalogues whose names of sources will be in the tables.

        Raises
        ------
        OutputError
            If a directory does not exist, a file exists and may not be replaced, a suffix is
            unknown, a path occurs twice or is an input.
        TableError
            If a table is FITS, which holds ASCII, and a name is not.
        InputFileError
            If such a catalogue cannot be used.
        """
        tables = {path for one in (self, *self.beside) for path in one.tables}
        for path in self.files:
            of_table = check_table if self.only_tables else check_export
            check = of_table if path in tables else check_output
            check(path, overwrite=self.overwrite)
        if self.residuals and not self.residuals.name.endswith((".fits", ".fits.gz")):
            raise OutputError(
                "the maps of residuals are FITS",
                path=self.residuals,
                remedy="Give a name that ends in .fits or .fits.gz.",
            )
        if self.report:
            check_folder(self.report, overwrite=self.overwrite)
        check_apart([*self.files, self.report], inputs)
        if any(format_of(path).suffix in _ASCII for path in tables):
            for source in filter(None, named_after):
                _check_names(source)

    def write(self, result: Findings) -> None:
        """Write all products; if one fails, or on Ctrl-C, none appears.

        Raises
        ------
        OutputError
            As `check`, and if the disk is full.
        TableError
            If a format cannot hold the catalogue.
        """
        with stage("writing the products"), ExitStack() as pending:
            found = (result, *result.beside)
            for products, one in zip((self, *self.beside), found, strict=False):
                for path in products.tables:
                    write_in_place_of(path, one.catalogue, self._pending(pending, path))
                if products.regions:
                    write_regions(one.catalogue, self._pending(pending, products.regions))
            if self.residuals and result.residuals:
                maps = {"RESIDUAL": result.residuals.residual, "PS": result.residuals.ps}
                write_scores(maps, self._pending(pending, self.residuals))
            if self.report:
                folder = pending.enter_context(atomic_folder(self.report, self.overwrite))
                write_report(
                    folder,
                    result.catalogue,
                    result.counts,
                    reference=result.reference,
                    summary=result.summary,
                    provenance=readable(result.catalogue.meta),
                    searches=result.searches,
                    residuals=result.residuals,
                    scores=result.scores,
                    observation=result.observation,
                )

    def _pending(self, pending: ExitStack, path: Path) -> Path:
        """Temporary path of a file, which gets its name when all are written."""
        return pending.enter_context(atomic_output(path, self.overwrite))


def check_apart(
    outputs: Sequence[str | PathLike | None], inputs: Sequence[str | PathLike | None]
) -> None:
    """Check that no output is an input or another output; None stands for none.

    Raises
    ------
    OutputError
    """
    taken = {os.path.realpath(path) for path in inputs if path is not None}
    for path in filter(None, outputs):
        place = os.path.realpath(path)
        if place in taken:
            raise OutputError(
                "this path is also an input or another output",
                path=path,
                remedy="Choose another name.",
            )
        taken.add(place)


def check_folder(path: str | PathLike, *, overwrite: bool = False) -> Path:
    """Return the path of a folder that may be filled.

    Parameters
    ----------
    path : path-like
    overwrite : bool
        Whether files in a folder that exists may be replaced.

    Raises
    ------
    OutputError
        If the directory above it does not exist, it is a file, or it holds something and
        ``overwrite`` is false.
    """
    path = Path(path)
    with naming_output(path):
        check_place(path)
        if os.path.lexists(path) and not path.is_dir():
            raise OutputError("is a file", path=path, remedy="Give the name of a folder.")
        parent = path.absolute().parent
        if not path.is_dir() and not parent.is_dir():
            raise OutputError(
                f"the directory {path.parent} does not exist", path=path, remedy="Make it first."
            )
        if path.is_dir() and not overwrite and not _is_empty(path):
            raise _not_empty(path)
        check_writable(path if path.is_dir() else parent, path)
    return path


def _is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing; locks of ours do not count."""
    return all(one.name.endswith(LOCK) for one in folder.iterdir())


def _not_empty(path: Path) -> OutputError:
    return OutputError(
        "the folder exists already and is not empty",
        path=path,
        remedy="Choose another name, or overwrite what is in it with --overwrite "
        "(overwrite in Python).",
    )


@contextmanager
def atomic_folder(path: str | PathLike, overwrite: bool = False) -> Iterator[Path]:
    """Fill a folder under a temporary path, and bring it to ``path`` when it is whole.

    If the block raises, ``path`` is left as it was and nothing else stays behind. Files of a
    folder that exists stay, but for those of the same names.

    Parameters
    ----------
    path : path-like
    overwrite : bool
        As for `check_folder`.

    Yields
    ------
    Path
        Folder to fill with files.

    Raises
    ------
    OutputError
        As `check_folder`, and if the directory may not be written or the disk is full.
    """
    path = check_folder(path, overwrite=overwrite)
    with temporary_folder(path) as temporary:
        filled = temporary / path.name
        filled.mkdir()
        yield filled
        if path.is_dir() and not overwrite and not _is_empty(path):
            raise _not_empty(path)
        path.mkdir(exist_ok=True)
        for file in filled.iterdir():
            os.replace(file, path / file.name)
