"""Conversion of quantities to floats: the only place where units are removed."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError

FLUX = u.Unit("cm-2 s-1")
"""Photon flux of a source in a band."""
ENERGY_FLUX = u.Unit("erg cm-2 s-1")
"""Energy flux of a source in a band."""


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
        If ``text`` is not a number with a unit that converts to ``unit``.
    """
    unit = u.Unit(unit)
    try:
        quantity = Quantity(text)
    except (TypeError, ValueError):
        raise OptionError(
            f"{name} is {text!r}", remedy=f"Write a number and a unit, such as '1 {unit}'."
        ) from None
    return as_value(quantity, unit, name=name) * unit
