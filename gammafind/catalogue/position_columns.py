"""Which columns of a table hold the positions, by their names or their UCDs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from astropy.table import Table

_IN_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]")
_OTHER = re.compile(r"[^0-9a-z]")

_NAMES = (
    ("ra", "dec", "icrs"),
    ("raj2000", "dej2000", "icrs"),
    ("raj2000", "decj2000", "icrs"),
    ("glon", "glat", "galactic"),
    ("l", "b", "galactic"),
    ("raicrs", "deicrs", "icrs"),
    ("raicrs", "decicrs", "icrs"),
    ("ra", "de", "icrs"),
    ("radeg", "dedeg", "icrs"),
    ("radeg", "decdeg", "icrs"),
    ("ra2000", "dec2000", "icrs"),
    ("ra2000", "de2000", "icrs"),
    ("rajd", "decjd", "icrs"),
    ("raj", "decj", "icrs"),
    ("rightascension", "declination", "icrs"),
    ("rightasc", "decl", "icrs"),
    ("alphaj2000", "deltaj2000", "icrs"),
    ("lii", "bii", "galactic"),
    ("gl", "gb", "galactic"),
    ("glong", "glat", "galactic"),
    ("ldeg", "bdeg", "galactic"),
    ("gallon", "gallat", "galactic"),
    ("galacticlongitude", "galacticlatitude", "galactic"),
    ("galacticl", "galacticb", "galactic"),
    ("rab1950", "deb1950", "fk4"),
    ("ra1950", "dec1950", "fk4"),
    ("elon", "elat", "barycentricmeanecliptic"),
)
"""Names of longitude and latitude, without case, marks and units, and their frame; the first match
is used."""
_UCDS = (
    ("pos.eq.ra", "pos.eq.dec", "icrs"),
    ("pos.galactic.lon", "pos.galactic.lat", "galactic"),
)
_PARTS = ("rah", "ram", "ras", "ded", "dem", "des")
"""Hours, minutes and seconds in columns of their own, as in machine-readable tables."""
_SIGN = "DE-"


@dataclass(frozen=True)
class PositionColumns:
    """Columns of longitude and latitude.

    Attributes
    ----------
    longitude, latitude : str
        Names in the table.
    frame : str
        Of astropy.
    """

    longitude: str
    latitude: str
    frame: str

    @property
    def hours(self) -> bool:
        """Whether texts of several numbers begin with hours in the longitude."""
        return self.frame in ("icrs", "fk4")


def position_columns(table: Table) -> PositionColumns | None:
    """Find the columns of the positions; None if there are none.

    Parameters
    ----------
    table : Table
        Case, marks and units in names do not matter: ``_RA.icrs`` and ``RA (deg)`` are found too.
    """
    names: dict[str, str] = {}
    # A name without marks goes first: in VizieR's tables _RAJ2000 is computed from RAJ2000.
    for name in sorted(table.colnames, key=lambda one: not one[:1].isalnum()):
        names.setdefault(bare(name), name)
    for lon, lat, frame in _NAMES:
        if lon in names and lat in names:
            return PositionColumns(names[lon], names[lat], frame)
    for lon, lat, frame in _UCDS:
        found = [_with_ucd(table, ucd) for ucd in (lon, lat)]
        if all(found):
            return PositionColumns(*found, frame)
    return None


def position_parts(table: Table) -> dict[str, str] | None:
    """Find positions whose hours, degrees, minutes and seconds are columns of their own.

    Returns
    -------
    dict of str to str or None
        Names of the columns by ``rah, ram, ras, ded, dem, des`` and, where there is a column of
        signs, ``sign``; seconds may be missing.
    """
    names = {bare(name): name for name in table.colnames if name != _SIGN}
    if not {"rah", "ram", "ded", "dem"} <= set(names):
        return None
    found = {part: names[part] for part in _PARTS if part in names}
    return found | ({"sign": _SIGN} if _SIGN in table.colnames else {})


def bare(name: str) -> str:
    """Name of a column in lower case without units in brackets and without marks."""
    return _OTHER.sub("", _IN_BRACKETS.sub("", name.lower()))


def _with_ucd(table: Table, ucd: str) -> str | None:
    """First column with a UCD, one that is marked as the main one before others."""
    found = []
    for name in table.colnames:
        words = str((table[name].info.meta or {}).get("ucd", "")).lower().split(";")
        if words[0] == ucd and "stat.error" not in words:
            found.append(("meta.main" not in words, name))
    return min(found, key=lambda one: one[0])[1] if found else None
