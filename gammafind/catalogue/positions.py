"""Sky positions of a table, from any of the usual column names."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.columns import checked_numbers, checked_texts
from gammafind.catalogue.position_columns import position_columns, position_parts
from gammafind.catalogue.sexagesimal import angles_of_texts
from gammafind.errors import TableError
from gammafind.sky.pixels import Pixels

_ACCEPTED = (
    "Accepted are ra and dec, RAJ2000 and DEJ2000, glon and glat, and other usual names; numbers, "
    "or texts such as 05 34 31.9."
)
_TURNS = 1e6
"""Degrees of a longitude: larger ones hold no place on the sky."""


def sky_positions(table: QTable, *, what: str = "the table") -> SkyCoord:
    """Positions of the rows of a table, ICRS.

    Parameters
    ----------
    table : QTable
        With ``ra, dec``, ``RAJ2000, DEJ2000`` or ``glon, glat``, or other usual names, in any
        case: see `gammafind.catalogue.position_columns`. Numbers without a unit are in degrees.
        Texts are degrees, or hours or degrees with minutes and seconds.
    what : str
        Name of the table, for messages.

    Raises
    ------
    TableError
        If there are no such columns, or a position is not finite or outside the sphere.
    """
    longitude, latitude, frame, names = _angles(table, what)
    for name, values in zip(names, (longitude, latitude), strict=True):
        if not np.all(np.isfinite(values)):
            raise TableError(
                f"{what}: column {name} has values that are not finite",
                remedy="Remove rows without a position.",
            )
    if np.any(np.abs(longitude) > _TURNS):
        raise TableError(
            f"{what}: {names[0]} has values beyond {_TURNS:g} deg",
            remedy="Correct these rows, or the unit of the column.",
        )
    if np.any(np.abs(latitude) > 90):
        raise TableError(
            f"{what}: {names[1]} is outside -90 to 90 deg",
            remedy="Correct these rows, or the unit of the column.",
        )
    return SkyCoord(longitude, latitude, unit="deg", frame=frame).icrs


def has_position(table: QTable, *, what: str = "the table") -> np.ndarray:
    """Which rows of a table have a position, shape (n,).

    Raises
    ------
    TableError
        If there are no columns of positions, or they are not angles.
    """
    longitude, latitude, *_ = _angles(table, what)
    return np.isfinite(longitude) & np.isfinite(latitude)


def map_positions(table: QTable, pixels: Pixels | None, *, what: str = "the table") -> SkyCoord:
    """Positions of the rows of a table in a map, for plots and distances.

    In an image without celestial coordinates, they are in the plane of its
    `~gammafind.sky.pixels.PlainPixels`; all others are `sky_positions`.

    Parameters
    ----------
    table : QTable
        As for `sky_positions`; with ``x`` and ``y`` if the image has no celestial coordinates.
    pixels : Pixels or None
        Pixels of the map.
    what : str
        Name of the table, for messages.
    """
    if pixels is None or pixels.celestial:
        return sky_positions(table, what=what)
    x, y = (table[axis].to_value(u.pix) for axis in ("x", "y"))
    return pixels.wcs.pixel_to_world(x, y).icrs


def sky_columns(positions: SkyCoord) -> dict[str, u.Quantity]:
    """Columns ``ra, dec, glon, glat`` of positions."""
    icrs, galactic = positions.icrs, positions.galactic
    return {"ra": icrs.ra, "dec": icrs.dec, "glon": galactic.l, "glat": galactic.b}


def _angles(table: QTable, what: str) -> tuple[np.ndarray, np.ndarray, str, tuple[str, str]]:
    """Longitudes and latitudes in degrees, their frame, and the names of their columns."""
    parts = position_parts(table)
    found = position_columns(table)
    if found is not None:
        longitude = _degrees(table, found.longitude, what, hours=found.hours)
        latitude = _degrees(table, found.latitude, what)
        return longitude, latitude, found.frame, (found.longitude, found.latitude)
    if parts is not None:
        return *_of_parts(table, parts, what), "icrs", (parts["rah"], parts["ded"])
    raise TableError(
        f"{what} has no positions: its columns are {', '.join(table.colnames) or 'none'}",
        remedy=_ACCEPTED,
    )


def _degrees(table: QTable, name: str, what: str, *, hours: bool = False) -> np.ndarray:
    """Angles of a column in degrees; NaN where there is none."""
    fault = f"{what}: column {name} is not an angle"
    remedy = "Give numbers, in degrees if the column has no unit, or texts such as 05 34 31.9."
    column = table[name]
    if column.dtype.kind in "USO":
        values = checked_texts(table, name, fault=fault, remedy=remedy)
        try:
            return angles_of_texts(values.tolist(), hours=hours)
        except ValueError as error:
            raise TableError(f"{fault} ({error})", remedy=remedy) from None
    if hours and column.unit == u.hour:  # FITS and VizieR write h for hours of right ascension.
        return checked_numbers(table, name, u.hour, fault=fault, remedy=remedy) * 15
    return checked_numbers(table, name, u.deg, fault=fault, remedy=remedy)


def _of_parts(table: QTable, parts: dict[str, str], what: str) -> tuple[np.ndarray, np.ndarray]:
    """Right ascension and declination of columns of hours, degrees, minutes and seconds."""
    remedy = "Give numbers."
    sign = parts.get("sign")

    def part(key: str) -> np.ndarray:
        if key not in parts:
            return np.zeros(len(table))
        fault = f"{what}: column {parts[key]} is no part of an angle"
        bare = QTable(
            {"part": np.ma.asarray(getattr(table[parts[key]], "value", table[parts[key]]))}
        )
        return checked_numbers(bare, "part", "", fault=fault, remedy=remedy)

    longitude = 15 * (part("rah") + part("ram") / 60 + part("ras") / 3600)
    degrees = part("ded")
    below = np.signbit(degrees)
    if sign is not None:
        fault = f"{what}: column {sign} is no sign"
        signs = checked_texts(table, sign, fault=fault, remedy="Give + or -.")
        below |= np.char.startswith(signs, "-")
    latitude = np.abs(degrees) + part("dem") / 60 + part("des") / 3600
    return longitude, np.where(below, -latitude, latitude)
