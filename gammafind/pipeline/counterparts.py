"""Catalogues of possible counterparts as a person names them, and their tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from astropy.table import Table as AnyTable
from astropy.units import Quantity

from gammafind.catalogue.association.counterparts import CounterpartList, counterpart_list
from gammafind.catalogue.measured_columns import NAME_COLUMNS
from gammafind.errors import OptionError
from gammafind.pipeline.inputs import Table, table_of
from gammafind.units import degrees
from gammafind.utils.checks import require


@dataclass(frozen=True, kw_only=True)
class Counterparts:
    """A catalogue of possible counterparts, and how its table is read.

    Attributes
    ----------
    table : str, path-like or QTable
        With positions; position errors, sizes of the objects, names and classes are found by the
        names or UCDs of their columns.
    label : str
        Name of the catalogue; by default that of the file.
    class_label : str
        Class of all its entries, such as ``"psr"``.
    class_column, name_column, error_column : str
        Columns of classes, of names, and of 95 % error radii, in place of those that are found.
    error : Quantity, optional
        95 % error radius, an angle, of entries that have no error of their own.
    prior : float, optional
        Probability that a source has its counterpart here; fitted by default.
    column : str
        Column that gets the names of a catalogue of gamma rays, in which a source is not a
        counterpart but the same source: ``"ASSOC_FGL"``, ``"ASSOC_FHL"``, ``"ASSOC_GAM1"`` to
        ``"ASSOC_GAM3"``, or ``"ASSOC_TEV"``.

    Examples
    --------
    >>> import gammafind
    >>> gammafind.Counterparts(table="pulsars.csv", class_label="psr", prior=0.1).prior
    0.1
    """

    table: Table
    label: str = ""
    class_label: str = ""
    class_column: str = ""
    name_column: str = ""
    error_column: str = ""
    error: Quantity | None = None
    prior: float | None = None
    column: str = ""


def with_tables(given: Sequence[Table | Counterparts]) -> tuple[Counterparts, ...]:
    """Catalogues of counterparts with labels and with the tables of their files.

    Raises
    ------
    OptionError
        If two have one label.
    InputFileError
        If a file cannot be used.
    """
    made: list[Counterparts] = []
    for number, one in enumerate(given, start=1):
        one = one if isinstance(one, Counterparts) else Counterparts(table=one)
        label = one.label or _label(one.table, number)
        if label in [other.label for other in made]:
            raise OptionError(
                f"two catalogues of counterparts are called {label}",
                remedy="Give one of them another label.",
            )
        made.append(replace(one, label=label, table=table_of(one.table)))
    return tuple(made)


def described(one: Counterparts) -> dict[str, str]:
    """Name and checksum of a catalogue of counterparts, as far as they are known."""
    meta = getattr(one.table, "meta", {})
    return {"name": one.label} | {k: str(meta[k]) for k in ("sha256", "release") if k in meta}


def lists_of(given: Sequence[Counterparts]) -> list[CounterpartList]:
    """What an association needs of the catalogues of counterparts."""
    made: list[CounterpartList] = []
    for one in given:
        r95 = None if one.error is None else radius_of(one.error, f"the error of {one.label}")
        made.append(
            counterpart_list(
                table_of(one.table),
                one.label,
                class_label=one.class_label,
                class_column=one.class_column,
                name_column=one.name_column,
                error_column=one.error_column,
                r95=r95,
                prior=one.prior,
            )
        )
    fixed = sum(one.prior or 0 for one in made)
    if fixed >= 1:
        raise OptionError(f"the priors sum to {fixed:g}", remedy="Their sum must be below 1.")
    return made


def by_column(
    given: Sequence[Counterparts], lists: Sequence[CounterpartList]
) -> dict[str, list[CounterpartList]]:
    """Catalogues that only name sources, by the columns of their names."""
    named: dict[str, list[CounterpartList]] = {}
    for one, made in zip(given, lists, strict=True):
        if one.column and one.column not in NAME_COLUMNS:
            raise OptionError(
                f"the names of {one.label} are wanted in the column {one.column}",
                remedy=f"Choose one of {', '.join(NAME_COLUMNS)}.",
            )
        if one.column:
            named.setdefault(one.column, []).append(made)
    return named


def _label(table: Table, number: int) -> str:
    """Name of a catalogue: that of its file up to the first point."""
    if isinstance(table, AnyTable):
        return str(table.meta.get("release") or f"catalogue {number}")
    return Path(table).name.split(".")[0]


def radius_of(error: Quantity, name: str) -> float:
    """A positive angle in degrees."""
    value = float(degrees(error, name=name))
    require(name, value, value > 0, "It must be positive.")
    return value
