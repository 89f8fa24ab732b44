"""Detections become a catalogue: names after the position, Fermi column names."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.schema import (
    CATALOGUE,
    DETECTIONS,
    PIXEL_CATALOGUE,
    conform,
    empty_table,
)
from gammafind.errors import OptionError
from gammafind.sky.pixels import Pixels

__all__ = ["publish", "source_names"]

_PUBLISHED = {
    "ra": "RAJ2000",
    "dec": "DEJ2000",
    "score": "Score",
    "ts": "TS",
    "npred": "Npred",
    "flux": "Flux",
    "flux_err": "Unc_Flux",
    "class_label": "CLASS1",
}
_COARSE_NAMES = 6 * u.arcsec
"""The last digit of the right ascension in a short name."""
_ROUNDING = 1e-7
"""Added before a coordinate is cut off, in units of the last digit: 12.0 may be 11.9999999999."""


def publish(
    detections: QTable,
    *,
    prefix: str = "GF",
    pos_scale: float = 1.0,
    pixels: Pixels | None = None,
) -> QTable:
    """Turn measured detections into a catalogue.

    Parameters
    ----------
    detections : QTable
        Columns of the schema DETECTIONS, and ``class_label`` and ``prob_<class>`` where the
        sources are classified. Further columns are kept.
    prefix : str
        Acronym before the coordinates in the names.
    pos_scale : float
        Factor on the position errors, from their calibration.
    pixels : Pixels, optional
        Of the map: where they are smaller than the last digits of a name, names have more
        digits, and where they have no place on the sky, the catalogue has none.

    Returns
    -------
    QTable
        Schema CATALOGUE, or PIXEL_CATALOGUE for an image without a WCS, rows in the order of
        ``detections``. The 95 % position error follows from the 68 % one as for a
        two-dimensional Gaussian; the significance is the square root of TS, 0 where TS is
        negative. Without detections it has every column of the schema.

    Raises
    ------
    TableError
        If ``detections`` lacks a column or has one of the wrong unit.
    OptionError
        If ``pos_scale`` is not a positive number.
    """
    if not (np.isfinite(pos_scale) and pos_scale > 0):
        raise OptionError(f"pos_scale is {pos_scale}", remedy="It must be positive.")
    table = conform(detections, DETECTIONS, what="the table of detections")
    celestial = pixels is None or pixels.celestial
    schema = CATALOGUE if celestial else PIXEL_CATALOGUE
    meta = dict(detections.meta)
    if len(table) == 0:
        catalogue = empty_table(schema)
        catalogue.meta = meta
        return catalogue
    catalogue = QTable({"Source_Name": _names(table, prefix, pixels)}, meta=meta)
    for name in table.colnames:
        if name in _PUBLISHED:
            catalogue[_PUBLISHED[name]] = table[name]
        elif name not in ("glon", "glat", "pos_err"):
            catalogue[name] = table[name]
    if celestial:
        galactic = sky_positions(table, what="the table of detections").galactic
        catalogue["GLON"] = galactic.l.deg * u.deg
        catalogue["GLAT"] = galactic.b.deg * u.deg
    else:
        catalogue.remove_columns(["RAJ2000", "DEJ2000"])
    if "pos_err" in table.colnames:
        catalogue["Conf_68_SemiMajor"] = pos_scale * table["pos_err"]
        catalogue["Conf_95_SemiMajor"] = R95_OVER_R68 * catalogue["Conf_68_SemiMajor"]
    if "ts" in table.colnames:
        catalogue["Signif_Avg"] = np.sqrt(np.maximum(table["ts"], 0))
    return _labelled(conform(catalogue, schema, what="the catalogue"))


def _names(table: QTable, prefix: str, pixels: Pixels | None) -> np.ndarray:
    """Names after the positions, or after the pixels of an image that has none."""
    if pixels is not None and not pixels.celestial:
        places = (table[axis].to_value(u.pix) for axis in ("x", "y"))
        return np.array([f"{prefix} X{x:.2f} Y{y:.2f}" for x, y in zip(*places, strict=True)])
    positions = sky_positions(table, what="the table of detections")
    return source_names(positions, prefix=prefix, fine=pixels is not None and _fine(pixels))


def _fine(pixels: Pixels) -> bool:
    return bool(pixels.pixel_size < _COARSE_NAMES)


def source_names(positions: SkyCoord, *, prefix: str = "GF", fine: bool = False) -> np.ndarray:
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
            labels[index] = names[index] + _letters(seen[first[index]])
            seen[first[index]] += 1
    return labels.astype(str)


def _letters(number: int) -> str:
    """Letters that count: a to z, then aa, ab, ..."""
    head, last = divmod(int(number), 26)
    return (_letters(head - 1) if head else "") + chr(ord("a") + last)


def _labelled(catalogue: QTable) -> QTable:
    """Label the class probabilities."""
    for name in catalogue.colnames:
        if name.startswith("prob_"):
            info = catalogue[name].info
            info.description = f"Probability of the class {name.removeprefix('prob_')}"
            info.meta = {"ucd": "stat.probability"}
    return catalogue
