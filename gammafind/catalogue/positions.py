"""Sky positions of a table, from any of the usual column names."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.columns import checked_numbers
from gammafind.errors import TableError
from gammafind.sky.pixels import Pixels

_COLUMNS = (
    ("ra", "dec", "icrs"),
    ("raj2000", "dej2000", "icrs"),
    ("raj2000", "decj2000", "icrs"),
    ("glon", "glat", "galactic"),
    ("l", "b", "galactic"),
)
"""Names of longitude and latitude (case does not matter) and their frame; the first match is
used."""


def sky_positions(table: QTable, *, what: str = "the table") -> SkyCoord:
    """Positions of the rows of a table, ICRS.

    Parameters
    ----------
    table : QTable
        With ``ra, dec``, ``RAJ2000, DEJ2000`` or ``glon, glat``, in any case. Columns without a
        unit are assumed to be in degrees.
    what : str
        Name of the table, for messages.

    Raises
    ------
    TableError
        If there are no such columns, or a position is not finite or outside the sphere.
    """
    names = {name.lower(): name for name in table.colnames}
    for lon, lat, frame in _COLUMNS:
        if lon in names and lat in names:
            longitude = _degrees(table, names[lon], what)
            latitude = _degrees(table, names[lat], what)
            if np.any(np.abs(latitude) > 90):
                raise TableError(
                    f"{what}: {names[lat]} is outside -90 to 90 deg",
                    remedy="Correct these rows, or the unit of the column.",
                )
            return SkyCoord(longitude, latitude, unit="deg", frame=frame).icrs
    raise TableError(
        f"{what} has no positions: its columns are {', '.join(table.colnames) or 'none'}",
        remedy="Accepted are ra and dec, RAJ2000 and DEJ2000, or glon and glat.",
    )


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


def _degrees(table: QTable, name: str, what: str) -> np.ndarray:
    fault = f"{what}: column {name} is not an angle"
    remedy = "Give numbers, in degrees if the column has no unit."
    values = checked_numbers(table, name, u.deg, fault=fault, remedy=remedy)
    if not np.all(np.isfinite(values)):
        raise TableError(
            f"{what}: column {name} has values that are not finite",
            remedy="Remove rows without a position.",
        )
    return values
