"""Position errors and sizes of the sources of any table, as covariances on the sky."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.columns import checked_numbers
from gammafind.catalogue.position_columns import bare
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import TableError

SIGMA_OF_R95 = float(1 / np.sqrt(2 * np.log(20)))
"""Sigma of a two-dimensional Gaussian in units of its 95 % radius (1 / 2.45)."""
SIGMA_OF_R68 = float(1 / np.sqrt(2 * np.log(1 / 0.32)))
"""Sigma of a two-dimensional Gaussian in units of its 68 % radius (1 / 1.51)."""
_LARGEST = 30.0
"""Errors in degrees beyond which a value is no position error, such as a fill value of 999."""
_LARGEST_RADIUS = 5.0
"""Radii in degrees beyond which a source says nothing about a place: loops of the whole sky."""

_ELLIPSES = (
    ("conf95semimajor", "conf95semiminor", "conf95posang", SIGMA_OF_R95, "95 %"),
    ("conf68semimajor", "conf68semiminor", "conf68posang", SIGMA_OF_R68, "68 %"),
    ("errmaj", "errmin", "errpa", 1.0, "1 sigma"),
    ("errellipmaj", "errellipmin", "errellippa", 1.0, "1 sigma"),
)
"""Names of semi-major axis, semi-minor axis and position angle, without case and marks."""
_RADII = (
    *((name, SIGMA_OF_R95, "95 %") for name in ("conf95semimajor", "poserr95", "r95", "err95")),
    *(
        (name, SIGMA_OF_R68, "68 %")
        for name in (
            "conf68semimajor", "poserr68", "poserr", "r68", "poserror", "positionerror",
            "errorradius", "errradius", "errrad", "radecerr", "epos", "pe",
        )
    ),
)  # fmt: skip
"""Names of radii."""
_AXES = (
    ("eraj2000", "edej2000"), ("eraj2000", "edecj2000"), ("era", "ede"), ("era", "edec"),
    ("eras", "edes"), ("eraicrs", "edeicrs"), ("raerr", "decerr"), ("raerror", "decerror"),
    ("errra", "errdec"), ("errorra", "errordec"), ("uncra", "uncdec"), ("sigra", "sigdec"),
    ("glonerr", "glaterr"), ("eglon", "eglat"),
)  # fmt: skip
"""Names of 1 sigma errors along two coordinates."""
_UCD_AXES = (("pos.eq.ra", "pos.eq.dec"), ("pos.galactic.lon", "pos.galactic.lat"))
_SIZES = (
    *((name, 1.0) for name in ("extensionradius", "r39", "spec0radius", "extension", "size")),
    *(
        (name, 0.5)
        for name in ("meandiam", "majdiam", "diameter", "diam", "sizeradiomean", "angdiam")
    ),
)
"""Names of sizes, and how much of them is the radius."""


@dataclass(frozen=True, eq=False)
class PositionErrors:
    """Where the sources of a table may be.

    Attributes
    ----------
    covariance : ndarray, shape (n, 2, 2)
        Of the position east and north, in deg2; zero where there is no error.
    known : ndarray of bool, shape (n,)
        Rows that have an error.
    radius : ndarray, shape (n,)
        Radii of extended sources in degrees, 0 for point sources. They are no part of the
        covariance.
    columns : str
        What was taken as errors and sizes, for people.
    """

    covariance: np.ndarray
    known: np.ndarray
    radius: np.ndarray
    columns: str

    @property
    def with_size(self) -> np.ndarray:
        """Covariance of a place within the source: a disc adds a quarter of its radius squared."""
        return self.covariance + (self.radius**2 / 4)[:, None, None] * np.eye(2)


def position_errors(table: QTable, *, column: str = "", what: str = "the table") -> PositionErrors:
    """Find the position errors of a table by the names or UCDs of its columns.

    Parameters
    ----------
    table : QTable
        n rows. Case and marks in names do not matter. Columns without a unit are in degrees.
    column : str
        Column of 95 % radii, in place of those that are found.
    what : str
        Name of the table, for messages.

    Raises
    ------
    TableError
        If ``column`` is not there, or a column does not hold angles.
    """
    names = {bare(name): name for name in reversed(table.colnames)}
    radius, size_text = _sizes(table, names)
    covariance, text = _covariance(table, names, column, what)
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    good = np.all(np.isfinite(covariance), axis=(1, 2)) & np.all(diagonal > 0, axis=1)
    covariance = np.where(good[:, None, None], covariance, 0.0)
    return PositionErrors(covariance, good, radius, "; ".join(filter(None, (text, size_text))))


def circular(sigma: np.ndarray) -> np.ndarray:
    """Covariances, shape (n, 2, 2), of circular Gaussians."""
    return np.asarray(sigma)[:, None, None] ** 2 * np.eye(2)


def _covariance(
    table: QTable, names: dict[str, str], column: str, what: str
) -> tuple[np.ndarray, str]:
    if column:
        if column not in table.colnames:
            raise TableError(
                f"{what} has no column {column}", remedy=f"It has {', '.join(table.colnames)}."
            )
        return circular(SIGMA_OF_R95 * _length(table, column, what)), f"{column} (95 % radius)"
    for major, minor, angle, scale, level in _ELLIPSES:
        if {major, minor, angle} <= names.keys():
            axes = [scale * _length(table, names[one], what) for one in (major, minor)]
            turned = _ellipses(*axes, _angle(table, names[angle], what))
            return turned, f"{names[major]}, {names[minor]}, {names[angle]} ({level} ellipse)"
    for name, scale, level in _RADII:
        if name in names:
            radius = scale * _length(table, names[name], what)
            return circular(radius), f"{names[name]} ({level} radius)"
    axes = _axes(table, names)
    if axes is not None:
        errors = [_axis(table, name, what) for name in axes]
        covariance = np.zeros((len(table), 2, 2))
        covariance[:, 0, 0], covariance[:, 1, 1] = np.square(errors)
        return covariance, f"{axes[0]} and {axes[1]} (1 sigma)"
    return np.zeros((len(table), 2, 2)), ""


def _ellipses(major: np.ndarray, minor: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Covariances of ellipses; the angle is from north to east. A circle may have no angle."""
    angle = np.radians(np.where(np.isfinite(angle), angle, 0.0))
    minor = np.where(np.isfinite(minor) & (minor > 0), minor, major)
    along = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    across = np.stack([np.cos(angle), -np.sin(angle)], axis=-1)
    return sum(
        axis[:, None, None] ** 2 * vector[:, :, None] * vector[:, None, :]
        for axis, vector in ((major, along), (minor, across))
    )


def _axes(table: QTable, names: dict[str, str]) -> tuple[str, str] | None:
    for lon, lat in _AXES:
        if lon in names and lat in names:
            return names[lon], names[lat]
    for lon, lat in _UCD_AXES:
        found = [_error_of(table, ucd) for ucd in (lon, lat)]
        if all(found):
            return found[0], found[1]
    return None


def _error_of(table: QTable, ucd: str) -> str:
    """Name of the column that is the error of a coordinate; empty for none."""
    for name in table.colnames:
        words = str((table[name].info.meta or {}).get("ucd", "")).lower().split(";")
        if words[0] == "stat.error" and ucd in words:
            return name
    return ""


def _axis(table: QTable, name: str, what: str) -> np.ndarray:
    """Error along a coordinate in degrees; one in seconds of time follows the declination."""
    unit = table[name].unit
    if unit is None or not unit.is_equivalent(u.s):
        return _length(table, name, what)
    seconds = checked_numbers(table, name, u.s, fault=f"{what}: column {name}", remedy="")
    declination = sky_positions(table, what=what).dec.rad
    return seconds * 15 / 3600 * np.cos(declination)


def _length(table: QTable, name: str, what: str) -> np.ndarray:
    """Errors in degrees; NaN where a value is no error, such as -1 or 999."""
    values = _angle(table, name, what)
    return np.where((values > 0) & (values < _LARGEST), values, np.nan)


def _angle(table: QTable, name: str, what: str) -> np.ndarray:
    fault = f"{what}: column {name} is not an angle"
    return checked_numbers(
        table, name, u.deg, fault=fault, remedy="Give numbers, in degrees where there is no unit."
    )


def _sizes(table: QTable, names: dict[str, str]) -> tuple[np.ndarray, str]:
    """Radii of the sources in degrees, from the first column of sizes that has a unit."""
    for name, factor in _SIZES:
        unit = table[names[name]].unit if name in names else None
        if unit is not None and unit.is_equivalent(u.deg):
            values = factor * checked_numbers(table, names[name], u.deg, fault=name, remedy="")
            good = np.isfinite(values) & (values > 0) & (values < _LARGEST_RADIUS)
            kind = "radius" if factor == 1 else "diameter"
            return np.where(good, values, 0.0), f"{names[name]} ({kind} of the source)"
    return np.zeros(len(table)), ""
