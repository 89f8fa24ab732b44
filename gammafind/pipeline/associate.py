"""Sources of a catalogue and their counterparts in other catalogues, each with a probability."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.association.gamma_rays import with_names
from gammafind.catalogue.association.places import Places
from gammafind.catalogue.association.position_errors import (
    SIGMA_OF_R95,
    circular,
    position_errors,
)
from gammafind.catalogue.association.solve import Solution, solve
from gammafind.catalogue.association.tables import (
    associated_catalogue,
    candidate_table,
    group_records,
    rate_table,
)
from gammafind.catalogue.columns import numbers_of
from gammafind.catalogue.io import check_suffix, check_table, write_table
from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.prov import step, with_step
from gammafind.errors import OptionError, TableError
from gammafind.pipeline.counterparts import (
    Counterparts,
    by_column,
    described,
    lists_of,
    radius_of,
    with_tables,
)
from gammafind.pipeline.inputs import Table, table_of
from gammafind.pipeline.products import check_apart
from gammafind.pipeline.result import Result
from gammafind.utils.checks import require
from gammafind.utils.files import atomic_output
from gammafind.utils.progress import stage
from gammafind.utils.version import running_version

_log = logging.getLogger("gammafind")

THRESHOLD = 0.8
"""Lowest probability of an association, as in the 4FGL catalogues."""
_WHAT = "the catalogue"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Association:
    """What `gammafind.associate` found.

    Attributes
    ----------
    catalogue : QTable
        The catalogue with ``ASSOC1``, ``ASSOC2``, ``ASSOC_PROB_BAY``, ``CLASS1`` and other columns.
    candidates : QTable
        All pairs of a source and a possible counterpart, with their probabilities.
    rates : QTable
        One row a catalogue: associations, how many of them are expected to be false (the sum of one
        minus the probabilities), how many of these by chance, and the latter as measured at shifted
        positions.
    columns : dict of str to str
        What the columns of each catalogue were taken as.

    Examples
    --------
    >>> import gammafind
    >>> found = gammafind.associate("2fhl", "3fhl")
    >>> found
    <Association: 336 of 360 sources>
    >>> len(found.candidates) > 336
    True
    """

    catalogue: QTable
    candidates: QTable
    rates: QTable
    columns: dict[str, str]

    def __repr__(self) -> str:
        n, found = len(self.catalogue), int(self.rates["N_Associations"].sum())
        return f"<Association: {found} of {n} sources>"

    def write(
        self,
        path: str | PathLike,
        *,
        candidates: str | PathLike | None = None,
        overwrite: bool = False,
    ) -> tuple[Path, Path]:
        """Write the catalogue and the table of candidates, both or none.

        Parameters
        ----------
        path : path-like
            Of the catalogue; the suffix names the format.
        candidates : path-like, optional
            Of the candidates; ``found-candidates.ecsv`` next to ``found.ecsv`` by default.
        overwrite : bool
            Whether files that exist may be replaced.

        Raises
        ------
        OutputError
            If a file exists and may not be replaced, or cannot be written.
        """
        paths = output_paths(path, candidates)
        check_outputs(paths, overwrite=overwrite)
        with ExitStack() as pending:
            for place, table in zip(paths, (self.catalogue, self.candidates), strict=True):
                write_table(table, pending.enter_context(atomic_output(place, overwrite)))
        return paths


def output_paths(
    path: str | PathLike, candidates: str | PathLike | None = None
) -> tuple[Path, Path]:
    """Paths of the catalogue and of the candidates."""
    path = Path(path)
    suffix = check_suffix(path)
    name = f"{path.name[: -len(suffix)]}-candidates{path.name[-len(suffix) :]}"
    return path, path.with_name(name) if candidates is None else Path(candidates)


def check_outputs(
    paths: tuple[Path, Path], *, overwrite: bool, inputs: Sequence[str | PathLike] = ()
) -> None:
    """Check that two tables can be written and are no inputs, before the work begins."""
    for path in paths:
        check_table(path, overwrite=overwrite)
    if os.path.realpath(paths[0]) == os.path.realpath(paths[1]):
        raise OptionError("both tables have one name", remedy="Name the candidates otherwise.")
    check_apart(paths, inputs)


def associate(
    catalogue: Table | Result,
    *counterparts: Table | Counterparts,
    threshold: float = THRESHOLD,
    one_to_one: bool = False,
    error: Quantity | None = None,
    command: str = "",
) -> Association:
    """Find the counterparts of sources in other catalogues.

    The probability of a pair follows from its separation, the position errors of both, the local
    density of counterparts, and the prior that a source has its counterpart in this catalogue and
    class. Priors are fitted to the catalogue; densities are corrected until the number of
    associations by chance, measured at shifted positions, is the one that the probabilities state.

    Parameters
    ----------
    catalogue : Result, str, path-like or QTable
        Sources with positions and their errors: an ellipse, a radius, or two axes.
    *counterparts : str, path-like, QTable or Counterparts
        Catalogues that may hold the counterparts. The first that lists an object names it. Those
        with a ``column`` give the names of the same sources only.
    threshold : float
        Lowest probability of an association.
    one_to_one : bool
        Each object is the counterpart of one source at most.
    error : Quantity, optional
        95 % error radius, an angle, of sources without an error of their own.
    command : str
        Command line, for the record.

    Returns
    -------
    Association

    Raises
    ------
    OptionError
        If no catalogue of counterparts is given, two have one name, a value is out of range, or a
        column is not one of those of names.
    TableError
        If the catalogue has no position errors, or a catalogue of counterparts has no rows.
    InputFileError
        If a file cannot be used.

    Examples
    --------
    >>> import gammafind
    >>> found = gammafind.associate("2fhl", "3fhl")
    >>> found.catalogue["Source_Name", "ASSOC1"][0].as_void().tolist()
    ('2FHL J0008.1+4709', '3FHL J0007.9+4711')
    """
    require("threshold", threshold, 0 < threshold < 1, "It is between 0 and 1.")
    if not counterparts:
        raise OptionError("no catalogue of counterparts is given", remedy="Name at least one.")
    table = catalogue.catalogue if isinstance(catalogue, Result) else table_of(catalogue)
    opened = with_tables(counterparts)
    every = lists_of(opened)
    lists = [one for one, of in zip(every, opened, strict=True) if not of.column]
    named = by_column(opened, every)
    places, text = _places(table, error)
    columns = {_WHAT: f"errors {text}", **{one.label: one.columns for one in every}}
    for label, what in columns.items():
        _log.info("%s: %s", label, what)
    solution: Solution | None = None
    if len(table) and lists:
        with stage("associating"):
            solution = solve(places, lists, threshold=threshold, one_to_one=one_to_one)
    made = with_names(table, places, named)
    if lists:
        made = associated_catalogue(made, solution, lists, places.known, threshold=threshold)
    rates = rate_table(solution, lists, threshold=threshold)
    record = {
        "threshold": threshold,
        "one_to_one": one_to_one,
        "command": command,
        "columns": columns,
        "groups": [] if solution is None else group_records(solution, lists),
        "rates": _records(rates),
    }
    made.meta["association"] = record
    done = step(
        "associate",
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        inputs=[described(one) for one in opened],
        parameters={
            "threshold": threshold,
            "one_to_one": one_to_one,
            "error": "" if error is None else str(error),
        },
        software=f"gammafind {running_version()}",
    )
    made.meta = with_step(made.meta, done)
    pairs = candidate_table(table, solution, lists)
    pairs.meta["association"] = record
    return Association(catalogue=made, candidates=pairs, rates=rates, columns=columns)


def with_counterparts(result: Result, given: Sequence[Counterparts], *, command: str) -> Result:
    """Associate the sources that were found; without position errors they stay as they are.

    Parameters
    ----------
    result : Result
    given : sequence of Counterparts
    command : str
        Command line, for the record.
    """
    if not given:
        return result
    known = numbers_of(result.catalogue, "r95", "deg")
    if len(known) and not np.any(np.isfinite(known)):
        _log.warning("sources without position errors are not associated")
        return result
    return replace(result, catalogue=associate(result, *given, command=command).catalogue)


def _places(table: QTable, error: Quantity | None) -> tuple[Places, str]:
    """Positions of the sources, their covariances, and what these were taken from."""
    positions = sky_positions(table, what=_WHAT)
    errors = position_errors(table, what=_WHAT)
    known = errors.known | (errors.radius > 0)
    covariance, text = errors.with_size, errors.columns
    if error is not None:
        r95 = radius_of(error, "error")
        rest = np.where(known, 0.0, SIGMA_OF_R95 * r95)
        covariance, known = covariance + circular(rest), np.ones(len(table), dtype=bool)
        text = "; ".join(filter(None, (text, f"{r95:g} deg (95 % radius) where there is none")))
    if len(table) and not known.any():
        raise TableError(
            "the catalogue has no position errors",
            remedy="Give the 95 % radius of all sources as error (--error 0.1deg).",
        )
    return Places(positions, covariance, known), text or "none"


def _records(rates: QTable) -> list[dict[str, Any]]:
    """Rows of the rates as JSON holds them."""
    return [
        {
            name: (None if isinstance(value, float) and not np.isfinite(value) else value)
            for name, value in zip(rates.colnames, (v.item() for v in row.as_void()), strict=True)
        }
        for row in rates
    ]
