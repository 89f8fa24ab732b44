"""What differs between two catalogues of one sky."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import column_of
from gammafind.catalogue.differences import STATUS, carried_names, differences, flux_columns
from gammafind.evaluation.searched import searched_sources
from gammafind.pipeline.evaluate import match_radius
from gammafind.pipeline.inputs import Table, table_of
from gammafind.pipeline.result import Result
from gammafind.units import degrees
from gammafind.utils.checks import require

_log = logging.getLogger("gammafind")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Difference:
    """What `gammafind.diff` found.

    Attributes
    ----------
    table : QTable
        One row a source: ``Status`` (same, moved, changed, moved and changed, new, gone, not
        searched), the names in both catalogues, separation and fluxes.
    catalogue : QTable
        The new catalogue in which each source keeps the name that it had in the old one.

    Examples
    --------
    >>> import gammafind
    >>> found = gammafind.diff("2fhl", "2fhl")
    >>> found
    <Difference: 360 same>
    >>> len(found.catalogue)
    360
    """

    table: QTable
    catalogue: QTable

    @property
    def counts(self) -> dict[str, int]:
        """Number of sources of each status."""
        found = Counter(np.asarray(self.table["Status"]).tolist())
        return {name: found[name] for name in STATUS}

    def __repr__(self) -> str:
        shown = ", ".join(f"{n} {name}" for name, n in self.counts.items() if n)
        return f"<Difference: {shown or 'no sources'}>"


def diff(
    old: Table | Result,
    new: Table | Result,
    *,
    radius: Quantity | None = None,
    n_sigma: float = 3.0,
    command: str = "",
) -> Difference:
    """Match two catalogues of one sky, and list what is new, gone, moved or changed.

    Parameters
    ----------
    old, new : Result, str, path-like or QTable
        Catalogues of gammafind or of others, with positions.
    radius : Quantity, optional
        Largest separation of a pair, an angle. By default twice the 95 % position errors of both
        sources together, or the match radius of the new catalogue where these are not known.
    n_sigma : float
        Change of a flux, in errors of both together, from which a source counts as changed.
    command : str
        Command line, for the record.

    Returns
    -------
    Difference

    Raises
    ------
    OptionError
        If a value is out of range.
    TableError
        If a catalogue has no positions.
    InputFileError
        If a file cannot be used.

    Examples
    --------
    >>> import gammafind
    >>> gammafind.diff("4fgl-dr3", "4fgl-dr4").counts["new"] > 500
    True
    """
    require("n_sigma", n_sigma, n_sigma > 0, "It must be positive.")
    if radius is not None:
        value = degrees(radius, name="radius")
        require("radius", value, value > 0, "It must be positive.")
    before, after = (
        one.catalogue if isinstance(one, Result) else table_of(one) for one in (old, new)
    )
    within = match_radius(radius, after)
    if flux_columns(before, after) is None:
        _log.info("the catalogues have no fluxes with errors of the same energies to compare")
    table = differences(
        before,
        after,
        radius=radius,
        fallback=within,
        n_sigma=n_sigma,
        searched_old=searched_sources(after, before, radius=within),
        searched_new=searched_sources(before, after, radius=within),
    )
    table.meta = {"n_sigma": n_sigma, "radius": None if radius is None else str(radius)}
    table.meta["command"] = command
    renamed = QTable(after, copy=True)
    name = column_of(after, "source_name") or "Source_Name"
    described = after[name].info if name in after.colnames else None
    renamed[name] = carried_names(table, after)
    if described is not None:
        renamed[name].info.description = described.description
        renamed[name].info.meta = dict(described.meta or {})
    return Difference(table=table, catalogue=renamed)
