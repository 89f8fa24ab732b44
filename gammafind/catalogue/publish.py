"""Detections become a catalogue: names after the position, columns as the instrument names them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.schema import (
    CATALOGUE,
    DETECTIONS,
    SCHEMA,
    Column,
    conform,
    empty_table,
    in_flux_unit,
    in_pixels,
    schema_record,
)
from gammafind.errors import OptionError
from gammafind.sky.pixels import Pixels
from gammafind.units import FLUX

PREFIX = "GF"
"""Acronym before the coordinates in the names."""
_ACRONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_PLACES = ("ra", "dec", "glon", "glat", "pos_err")
"""Columns of detections that a catalogue has in another form, or not at all."""
_COARSE_NAMES = 6 * u.arcsec
"""The last digit of the right ascension in a short name."""
_ROUNDING = 1e-7
"""Added before a coordinate is cut off, in units of the last digit: 12.0 may be 11.9999999999."""


def publish(
    detections: QTable,
    *,
    columns: Sequence[Column] = CATALOGUE,
    pixels: Pixels | None = None,
    prefix: str = PREFIX,
) -> QTable:
    """Turn measured detections into a catalogue.

    Parameters
    ----------
    detections : QTable
        Columns of the schema DETECTIONS, and ``class_label`` and ``prob_<class>`` where the
        sources are classified. Columns that no published one holds are kept.
    columns : sequence of Column
        Of the catalogue, as an instrument publishes it; each holds a column of the detections or
        ``source_name``, ``r68``, ``r95`` or ``significance``.
    pixels : Pixels, optional
        Of the map: where they are smaller than the last digits of a name, names have more
        digits, and where they have no place on the sky, the catalogue has none.
    prefix : str
        Acronym before the coordinates in the names: letters, digits and hyphens.

    Returns
    -------
    QTable
        The columns, less those of the sky for an image without a WCS, rows in the order of
        ``detections``. The 95 % position error is that of a column ``r95``, or follows from the
        68 % one as for a two-dimensional Gaussian; the significance is the square root of TS, 0
        where TS is negative. Without detections it has all columns.

    Raises
    ------
    TableError
        If ``detections`` lacks a column or has one of the wrong unit.
    OptionError
        If ``prefix`` has other marks.
    """
    check_prefix(prefix)
    flux_unit = detections["flux"].unit if "flux" in detections.colnames else FLUX
    schema = in_flux_unit(DETECTIONS, flux_unit or FLUX)
    table = conform(detections, schema, what="the table of detections")
    celestial = pixels is None or pixels.celestial
    columns = tuple(columns) if celestial else in_pixels(columns)
    meta = {**detections.meta, SCHEMA: schema_record()}
    if len(table) == 0:
        catalogue = empty_table(columns)
        catalogue.meta = meta
        return catalogue
    held = {name: table[name] for name in table.colnames if name not in _PLACES}
    held |= {"source_name": _names(table, pixels, prefix), **_uncertainties(table)}
    if celestial:
        held |= _places(table)
    catalogue = QTable(meta=meta)
    for column in columns:
        if column.quantity in held:
            catalogue[column.name] = held.pop(column.quantity)
    for name in table.colnames:
        if name in held:
            catalogue[name] = held[name]
    return _labelled(conform(catalogue, columns, what="the catalogue"))


def _places(table: QTable) -> dict[str, Quantity]:
    """Equatorial and Galactic coordinates of each detection."""
    galactic = sky_positions(table, what="the table of detections").galactic
    lon, lat = galactic.l.deg * u.deg, galactic.b.deg * u.deg
    return {"ra": table["ra"], "dec": table["dec"], "glon": lon, "glat": lat}


def _uncertainties(table: QTable) -> dict[str, Quantity | np.ndarray]:
    """Position errors and significances, where they are known."""
    known: dict[str, Quantity | np.ndarray] = {}
    if "pos_err" in table.colnames:
        known["r68"] = table["pos_err"]
        known["r95"] = table["r95"] if "r95" in table.colnames else R95_OVER_R68 * known["r68"]
    if "ts" in table.colnames:
        known["significance"] = np.sqrt(np.maximum(table["ts"], 0))
    return known


def check_prefix(prefix: str) -> None:
    """Raise OptionError unless an acronym can stand in a name of the IAU."""
    if not _ACRONYM.fullmatch(prefix):
        raise OptionError(
            f"the prefix of the names is {prefix!r}",
            remedy="It has letters, digits and hyphens only; the IAU wants three or more.",
        )


def _names(table: QTable, pixels: Pixels | None, prefix: str) -> np.ndarray:
    """Names after the positions, or after the pixels of an image that has none."""
    if pixels is not None and not pixels.celestial:
        places = (table[axis].to_value(u.pix) for axis in ("x", "y"))
        return np.array([f"{prefix} X{x:.2f} Y{y:.2f}" for x, y in zip(*places, strict=True)])
    positions = sky_positions(table, what="the table of detections")
    return source_names(positions, prefix=prefix, fine=pixels is not None and _fine(pixels))


def _fine(pixels: Pixels) -> bool:
    return bool(pixels.pixel_size < _COARSE_NAMES)


def source_names(positions: SkyCoord, *, prefix: str = PREFIX, fine: bool = False) -> np.ndarray:
    """Names in the manner of the IAU, such as ``GF J0534.5+2200``.

    The coordinates are cut off, not rounded. Where names coincide each gets a letter, in the
    order of right ascension and declination.

    Parameters
    ----------
    positions : SkyCoord, shape (n,)
    prefix : str
    fine : bool
        Name hundredths of a second and tenths of an arcsecond: ``GF J053431.94+220052.2``.

    Returns
    -------
    ndarray of str, shape (n,)

    References
    ----------
    IAU specifications for nomenclature, https://cdsweb.u-strasbg.fr/Dic/iau-spec.html
    """
    here = positions.icrs
    ra, dec = here.ra.deg % 360, here.dec.deg
    if fine:
        names = _fine_names(ra, dec, prefix)
        return _distinct(np.asarray(names), np.lexsort((dec, ra)))
    tenths = np.floor(ra * 40 + _ROUNDING).astype(int) % 14400
    minutes = np.floor(np.abs(dec) * 60 + _ROUNDING).astype(int)
    names = [
        f"{prefix} J{t // 600:02d}{t // 10 % 60:02d}.{t % 10}{sign}{m // 60:02d}{m % 60:02d}"
        for t, sign, m in zip(tenths, np.where(dec < 0, "-", "+"), minutes, strict=True)
    ]
    return _distinct(np.asarray(names), np.lexsort((dec, ra)))


def _fine_names(ra: np.ndarray, dec: np.ndarray, prefix: str) -> list[str]:
    time = np.floor(ra * 24000 + _ROUNDING).astype(int) % 8640000
    arc = np.floor(np.abs(dec) * 36000 + _ROUNDING).astype(int)
    return [
        f"{prefix} J{t // 360000:02d}{t // 6000 % 60:02d}{t // 100 % 60:02d}.{t % 100:02d}"
        f"{sign}{a // 36000:02d}{a // 600 % 60:02d}{a // 10 % 60:02d}.{a % 10}"
        for t, sign, a in zip(time, np.where(dec < 0, "-", "+"), arc, strict=True)
    ]


def _distinct(names: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Append a letter to each name that is not the only one of its kind."""
    labels = names.astype(object)
    unique, first = np.unique(names, return_inverse=True)
    count = np.bincount(first, minlength=len(unique))
    seen = np.zeros(len(unique), dtype=int)
    for index in order:
        if count[first[index]] > 1:
            labels[index] = names[index] + letters(seen[first[index]])
            seen[first[index]] += 1
    return labels.astype(str)


def letters(number: int) -> str:
    """Count in letters: a to z, then aa, ab, ..."""
    head, last = divmod(int(number), 26)
    return (letters(head - 1) if head else "") + chr(ord("a") + last)


def _labelled(catalogue: QTable) -> QTable:
    """Label the class probabilities."""
    for name in catalogue.colnames:
        if name.startswith("prob_"):
            info = catalogue[name].info
            info.description = f"Probability of the class {name.removeprefix('prob_')}"
            info.meta = {"ucd": "stat.probability"}
    return catalogue
