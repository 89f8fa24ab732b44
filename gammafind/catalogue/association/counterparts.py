"""Catalogues of possible counterparts, with what each of their columns was taken as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.associate import names_in
from gammafind.catalogue.association.position_errors import (
    SIGMA_OF_R95,
    PositionErrors,
    circular,
    position_errors,
)
from gammafind.catalogue.columns import texts
from gammafind.catalogue.position_columns import bare, position_columns, position_parts
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError, TableError

_CLASSES = ("class1", "class", "classlabel")
"""Columns of classes that are used where none is named, without case and marks."""
_LEAST_MEMBERS = 30
"""Members of a class that has a density and a prior of its own: fewer do not give a density."""
_REST = "others"


@dataclass(frozen=True, eq=False)
class CounterpartList:
    """A catalogue of possible counterparts.

    Attributes
    ----------
    label : str
        Name of the catalogue.
    names, classes : ndarray of str, shape (m,)
    positions : SkyCoord, shape (m,)
    covariance : ndarray, shape (m, 2, 2)
        Of the position, with the size, in deg2.
    radius : ndarray, shape (m,)
        Of extended sources in degrees, 0 for point sources.
    r95 : ndarray, shape (m,)
        95 % error radius in degrees, of ellipses that of a circle of the same area; the one that
        was given where the entry has none of its own, or NaN.
    group : ndarray of int, shape (m,)
        Index into ``groups``.
    groups : tuple of str
        Classes with a density and a prior of their own.
    prior : float or None
        Probability that a detection has its counterpart here; None where it is fitted.
    columns : str
        What was taken as what, for people.
    """

    label: str
    names: np.ndarray
    classes: np.ndarray
    positions: SkyCoord
    covariance: np.ndarray
    radius: np.ndarray
    r95: np.ndarray
    group: np.ndarray
    groups: tuple[str, ...]
    prior: float | None
    columns: str

    def __len__(self) -> int:
        return len(self.names)


def counterpart_list(
    table: QTable,
    label: str,
    *,
    class_label: str = "",
    class_column: str = "",
    name_column: str = "",
    error_column: str = "",
    r95: float | None = None,
    prior: float | None = None,
) -> CounterpartList:
    """Bring a table with positions to the form in which it is associated.

    Parameters
    ----------
    table : QTable
        m rows, each with a position.
    label : str
        Name of the catalogue.
    class_label : str
        Class of all rows.
    class_column, name_column, error_column : str
        Columns of classes, names and 95 % radii in place of those that are found.
    r95 : float, optional
        95 % radius in degrees of rows without an error. Without it they have the median error of
        the others; where no row has one, positions are exact.
    prior : float, optional
        Between 0 and 1; fitted by default.

    Raises
    ------
    TableError
        If a column is missing, or the table is empty.
    OptionError
        If the prior is out of range.
    """
    what = f"the catalogue {label}"
    if len(table) == 0:
        raise TableError(f"{what} has no rows", remedy="Leave it out.")
    if prior is not None and not 0 < prior < 1:
        raise OptionError(f"the prior of {label} is {prior}", remedy="It is between 0 and 1.")
    positions = sky_positions(table, what=what)
    errors = position_errors(table, column=error_column, what=what)
    sigma = _usual_sigma(errors.covariance[errors.known], r95)
    covariance = np.where(
        errors.known[:, None, None], errors.with_size, errors.with_size + circular([sigma])
    )
    names, name_text = names_in(table, positions, column=name_column)
    classes, class_text = _classes(table, class_label, class_column, what)
    group, groups = _groups(classes)
    return CounterpartList(
        label=label,
        names=names,
        classes=classes,
        positions=positions,
        covariance=covariance,
        radius=errors.radius,
        r95=np.where(
            errors.known,
            np.linalg.det(errors.covariance) ** 0.25 / SIGMA_OF_R95,
            np.nan if r95 is None else r95,
        ),
        group=group,
        groups=groups,
        prior=prior,
        columns=f"positions {_position_text(table)}; errors {_error_text(errors, r95)}; "
        f"names {name_text}; classes {class_text}",
    )


def _usual_sigma(covariance: np.ndarray, r95: float | None) -> float:
    """Sigma in degrees of rows without an error of their own."""
    if r95 is not None:
        return SIGMA_OF_R95 * r95
    return float(np.sqrt(np.median(np.linalg.det(covariance)) ** 0.5)) if len(covariance) else 0.0


def _error_text(errors: PositionErrors, r95: float | None) -> str:
    if errors.known.all():
        return errors.columns
    others = f"{r95:g} deg (95 % radius) where there is none" if r95 is not None else ""
    if not errors.known.any():
        others = others or "none: positions are exact"
    return "; ".join(filter(None, (errors.columns, others)))


def _position_text(table: QTable) -> str:
    found, parts = position_columns(table), position_parts(table)
    if found is not None:
        return f"{found.longitude}, {found.latitude} ({found.frame})"
    return f"{parts['rah']} ... {parts['des' if 'des' in parts else 'dem']}"


def _classes(table: QTable, label: str, column: str, what: str) -> tuple[np.ndarray, str]:
    if label and column:
        raise OptionError(f"{what} has a class and a column of classes", remedy="Give one.")
    if label:
        return np.full(len(table), label), f"{label} for all"
    known = {bare(name): name for name in reversed(table.colnames)}
    found = column or next((known[name] for name in _CLASSES if name in known), "")
    if not found:
        return np.full(len(table), ""), "none"
    if found not in table.colnames:
        raise TableError(
            f"{what} has no column {found}", remedy=f"It has {', '.join(table.colnames)}."
        )
    return texts(table, found), found


def _groups(classes: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Classes that are large enough to stand alone; all others are one group."""
    names, index, counts = np.unique(
        np.char.lower(classes), return_inverse=True, return_counts=True
    )
    large = counts >= _LEAST_MEMBERS
    if len(names) == 1 or not large.any():
        only = str(names[0]) if len(names) == 1 else ""
        return np.zeros(len(classes), dtype=int), (only,)
    rest = () if large.all() else (_REST,)
    number = np.where(large, np.cumsum(large) - 1, large.sum())
    return number[index], (*map(str, names[large]), *rest)
