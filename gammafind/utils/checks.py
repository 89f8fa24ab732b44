"""Checks of the values of options."""

from __future__ import annotations

import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError


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
