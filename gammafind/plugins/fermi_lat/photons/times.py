"""Mission elapsed time: seconds since the beginning of 2001, as in all files of the LAT."""

from __future__ import annotations

import astropy.units as u
from astropy.time import Time, TimeDelta

from gammafind.errors import OptionError

_ZERO = Time("2001-01-01", scale="utc").tt


def mission_time(start: str | Time) -> float:
    """Mission elapsed time in seconds of a date.

    Raises
    ------
    OptionError
        If it is no date.
    """
    try:
        date = start if isinstance(start, Time) else Time(start, scale="utc")
    except (ValueError, TypeError):
        raise OptionError(
            f"start is {start!r}", remedy="Write a date such as 2008-08-04 or 2014-08-07T02:48:00."
        ) from None
    return float((date.tt - _ZERO).to_value(u.s))


def date_of(time: float) -> str:
    """Date and time in UTC of a mission elapsed time in seconds."""
    return str((_ZERO + TimeDelta(time, format="sec")).utc.isot)
