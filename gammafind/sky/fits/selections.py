"""The selection cuts of a Fermi file, from its data-subspace (DSS) keywords."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits

from gammafind.sky.fits.opening import open_fits
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import unit_vectors
from gammafind.units import stated_unit

_CUT = re.compile(r"(.+?) = (.+?)(?: ([A-Za-z]\w*))?")
_NUMBER = r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:E[-+]?\d+)?)\s*"
_CIRCLE = re.compile(
    rf"POS\(RA,DEC\) = CIRCLE\({_NUMBER},{_NUMBER},{_NUMBER}\)(?: [A-Z]+)?", re.IGNORECASE
)
_RANGE = re.compile(rf"(\w+) = (?:{_NUMBER})?:(?:{_NUMBER})?(?: (\w+))?", re.IGNORECASE)
_UNITS = {"ENERGY": u.MeV, "TIME": u.s}
"""In which the Fermitools write ranges; those of angles are in degrees."""
_KEY = re.compile(r"DSTYP(\d{1,4})")


def selections(header: fits.Header) -> tuple[str, ...]:
    """Cuts of a header as text, such as ``"ZENITH_ANGLE = 0:90 deg"``.

    Parameters
    ----------
    header : astropy.io.fits.Header
        With ``DSTYPn``, ``DSVALn`` and ``DSUNIn``, ``n`` from 1 to ``NDSKEYS``; all of them if
        this is no number.

    Returns
    -------
    tuple of str
        Empty if the header has none.
    """
    cuts = []
    stated = header.get("NDSKEYS", 0)
    last = stated if isinstance(stated, int | float) and np.isfinite(stated) else np.inf
    numbers = sorted({int(match[1]) for match in map(_KEY.fullmatch, header) if match})
    for number in (n for n in numbers if 1 <= n <= last):
        kind, value, unit = (
            str(header.get(f"{key}{number}", "")).strip() for key in ("DSTYP", "DSVAL", "DSUNI")
        )
        unit = "" if unit == "DIMENSIONLESS" or value == "TABLE" else f" {unit}"
        cuts.append(f"{kind} = {value}{unit}".rstrip())
    return tuple(cuts)


def read_selections(path: str | PathLike) -> tuple[str, ...]:
    """Cuts of a count map or a photon list, without reading its data.

    Returns
    -------
    tuple of str
        Cuts of the first header that has any; empty if there is none.

    Raises
    ------
    InputFileError
        If the file cannot be opened.
    """
    with open_fits(path) as file:
        return file_selections(file)


def file_selections(file: fits.HDUList) -> tuple[str, ...]:
    """Selections in the headers of an open file; the first HDU that has some counts."""
    return next(filter(None, (selections(hdu.header) for hdu in file)), ())


def selection_cards(cuts: Sequence[str]) -> dict[str, str | int]:
    """Keywords that `selections` reads as these cuts.

    Parameters
    ----------
    cuts : sequence of str
        As returned by `selections`. Other texts, and cuts that refer to another table of their file
        (``TIME = TABLE``), are ignored.

    Returns
    -------
    dict
        Empty if there are no cuts.
    """
    matches = [match for match in map(_CUT.fullmatch, cuts) if match and match[2] != "TABLE"]
    cards: dict[str, str | int] = {"NDSKEYS": len(matches)} if matches else {}
    for number, match in enumerate(matches, start=1):
        cards[f"DSTYP{number}"] = match[1]
        cards[f"DSUNI{number}"] = match[3] or "DIMENSIONLESS"
        cards[f"DSVAL{number}"] = match[2]
    return cards


def in_field(cuts: Sequence[str], pixels: Pixels) -> np.ndarray:
    """Which pixels have their centres inside all selection circles of the photons.

    Parameters
    ----------
    cuts : sequence of str
        As returned by `selections`; cuts other than ``POS(RA,DEC) = CIRCLE(...)`` are ignored.
    pixels : Pixels

    Returns
    -------
    ndarray of bool, of the shape of ``pixels``
    """
    found = [in_circle(circle, pixels) for circle in circles(cuts) if circle.radius < 180]
    return np.logical_and.reduce(found) if found else np.ones(pixels.shape, dtype=bool)


@dataclass(frozen=True)
class Circle:
    """A circle on the sky: centre in ICRS and radius, in degrees."""

    ra: float
    dec: float
    radius: float


def circles(cuts: Sequence[str]) -> tuple[Circle, ...]:
    """Circles of cuts ``POS(RA,DEC) = CIRCLE(...)``; those that cannot be are left out."""
    matches = filter(None, map(_CIRCLE.fullmatch, cuts))
    found = (Circle(*map(float, match.groups())) for match in matches)
    return tuple(
        one
        for one in found
        if np.isfinite([one.ra, one.radius]).all() and abs(one.dec) <= 90 and one.radius > 0
    )


def circle_of(cuts: Sequence[str]) -> Circle | None:
    """Smallest selection circle among the cuts, None for the whole sky."""
    found = (circle for circle in circles(cuts) if circle.radius < 180)
    return min(found, key=lambda circle: circle.radius, default=None)


def cut_range(cuts: Sequence[str], name: str) -> tuple[float, float] | None:
    """Range that the cuts on a column leave together.

    Parameters
    ----------
    cuts : sequence of str
        As returned by `selections`.
    name : str
        Such as ``"ENERGY"``.

    Returns
    -------
    tuple of float or None
        Lowest and highest value in MeV, seconds or degrees; infinite where a cut leaves a side
        open. None without a cut in such a unit.
    """
    unit = _UNITS.get(name, u.deg)
    ranges = []
    for match in filter(None, map(_RANGE.fullmatch, cuts)):
        stated = stated_unit(match[4], unit)
        if match[1].upper() == name and stated is not None:
            factor = stated.to(unit)
            low, high = float(match[2] or -np.inf), float(match[3] or np.inf)
            ranges.append((low * factor, high * factor))
    if not ranges:
        return None
    lows, highs = zip(*ranges, strict=True)
    return max(lows), min(highs)


def in_circle(circle: Circle, pixels: Pixels) -> np.ndarray:
    """Which pixels have their centres in a circle, of the shape of ``pixels``."""
    centre = SkyCoord(circle.ra, circle.dec, unit="deg", frame="icrs").transform_to(pixels.frame)
    if not isinstance(pixels, HealpixPixels):
        return centre.separation(pixels.centres()) <= circle.radius * u.deg
    import healpy as hp

    vector = unit_vectors(centre.spherical.lon.deg, centre.spherical.lat.deg)
    inside = np.zeros(pixels.shape, dtype=bool)
    inside[hp.query_disc(pixels.nside, vector, np.radians(min(circle.radius, 180)))] = True
    return inside
