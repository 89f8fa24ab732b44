"""Checks of the values of options."""

from __future__ import annotations

import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError

STEEPEST = 10.0
"""Largest photon index, with either sign: steeper power laws leave all counts in one bin of energy,
or beyond all numbers."""


def require_index(index: float) -> None:
    """Raise OptionError unless a photon index is one that a source can have.

    Raises
    ------
    OptionError
    """
    accepted = bool(abs(index) <= STEEPEST)
    require("index", index, accepted, f"It must be {-STEEPEST:g} to {STEEPEST:g}.")


def require(name: str, value: float | Quantity, accepted: bool, remedy: str) -> None:
    """Raise OptionError unless an option is finite and accepted.

    Parameters
    ----------
    name : str
        What the option is called.
    value : float or Quantity
        A scalar.
    accepted : bool
    remedy : str
        What is accepted.

    Raises
    ------
    OptionError
    """
    if not (np.isfinite(value) and accepted):
        raise OptionError(f"{name} is {value}", remedy=remedy)
