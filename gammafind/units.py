"""Conversion of quantities to floats: the only place where units are removed."""

from __future__ import annotations

import re
import warnings

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError

FLUX = u.Unit("cm-2 s-1")
"""Photon flux of a source in a band."""
ENERGY_FLUX = u.Unit("erg cm-2 s-1")
"""Energy flux of a source in a band."""


_FORMATS = ("fits", "cds", "vounit", "generic", "ogip")
_SPELLINGS = (
    (re.compile(r"\bphotons?\b", re.I), "ph"),
    (re.compile(r"\b(?:degrees?|degs)\b", re.I), "deg"),
    (re.compile(r"\barc ?mins?\b|\barcminutes?\b", re.I), "arcmin"),
    (re.compile(r"\barc ?secs?\b|\barcseconds?\b", re.I), "arcsec"),
    (re.compile(r"\^|\*\*|[{}]"), ""),
)
"""Spellings in tables of others, and those of the FITS standard."""


def parsed_unit(text: str) -> u.UnitBase | None:
    """Read a unit as it is spelled in any table; None if it is not understood.

    Parameters
    ----------
    text : str
        Such as ``photon/cm**2/s``, ``ph cm^-2 s^-1``, ``Degrees`` or ``10-9cm-2.s-1``.
    """
    clean = text.strip().strip("\"' ")
    spelled = clean
    for pattern, standard in _SPELLINGS:
        spelled = pattern.sub(standard, spelled)
    for candidate in (clean, spelled, spelled.lower()):
        for form in _FORMATS:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", u.UnitsWarning)
                    return u.Unit(candidate, format=form)
            except (ValueError, TypeError):
                continue
    return None


_ENERGIES = {"ev": u.eV, "kev": u.keV, "mev": u.MeV, "gev": u.GeV, "tev": u.TeV}
"""Units in any case: to astropy, ``mev`` would be a thousandth of an eV."""


def stated_unit(text: str | None, default: u.UnitBase) -> u.UnitBase | None:
    """Unit that a header states for values of a kind.

    Parameters
    ----------
    text : str or None
        Units of energies in any case.
    default : unit
        Where nothing is stated.

    Returns
    -------
    unit or None
        None if it does not convert to ``default``.
    """
    text = (text or "").strip()
    if not text:
        return default
    unit = _ENERGIES.get(text.casefold()) or u.Unit(text, parse_strict="silent")
    return unit if unit.is_equivalent(default) else None


def without_photons(unit: u.UnitBase) -> u.UnitBase:
    """Return a unit in which a photon is a plain number: cm-2 s-1 for ph cm-2 s-1."""
    if not isinstance(unit, u.UnitBase) or u.ph not in unit.bases:
        return unit
    pairs = zip(unit.bases, unit.powers, strict=True)
    kept = [(base, power) for base, power in pairs if base != u.ph]
    bases, powers = [base for base, _ in kept], [power for _, power in kept]
    return u.CompositeUnit(unit.scale, bases, powers)


def as_value(quantity: Quantity, unit: u.UnitBase | str, *, name: str) -> np.ndarray | float:
    """Convert ``quantity`` to ``unit`` and return its value as floats.

    Parameters
    ----------
    quantity : Quantity
        Value with a unit.
    unit : unit
        Unit of the returned floats.
    name : str
        Name of the argument, for the error message.

    Returns
    -------
    float or ndarray

    Raises
    ------
    OptionError
        If ``quantity`` has no unit, or its unit cannot be converted.
    """
    unit = u.Unit(unit)
    remedy = f"Give it in {unit} or a similar unit."
    if not isinstance(quantity, Quantity):
        raise OptionError(f"{name} has no unit: received {quantity!r}", remedy=remedy)
    try:
        return quantity.to_value(unit)
    except u.UnitConversionError:
        if quantity.unit == u.dimensionless_unscaled:
            raise OptionError(f"{name} has no unit: received {quantity}", remedy=remedy) from None
        raise OptionError(
            f"{name} is in {quantity.unit}", remedy=f"It must convert to {unit}."
        ) from None


def degrees(angle: Quantity, *, name: str = "angle") -> np.ndarray | float:
    """Return ``angle`` as float degrees."""
    return as_value(angle, u.deg, name=name)


def parse_quantity(text: str, unit: u.UnitBase | str, *, name: str) -> Quantity:
    """Read a quantity such as ``"0.3 deg"`` from a command line or a TOML file.

    Raises
    ------
    OptionError
        If ``text`` is not a finite number with a unit that converts to ``unit``.
    """
    unit = u.Unit(unit)
    try:
        quantity = Quantity(text)
    except (TypeError, ValueError):
        raise OptionError(
            f"{name} is {text!r}", remedy=f"Write a number and a unit, such as '1 {unit}'."
        ) from None
    if not np.all(np.isfinite(quantity.value)):
        raise OptionError(f"{name} is {text!r}", remedy="It must be a finite number.")
    return as_value(quantity, unit, name=name) * unit
