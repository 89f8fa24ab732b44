"""Mission elapsed time: seconds since the beginning of 2001, as in all files of the LAT."""

from __future__ import annotations

from astropy.time import Time, TimeDelta

from gammafind.sky.fits.good_times import mission_seconds

_ZERO = Time("2001-01-01", scale="utc").tt


def mission_time(start: str | Time) -> float:
    """Mission elapsed time in seconds of a date.

    Raises
    ------
    OptionError
        If it is no date.
    """
    return mission_seconds(start, name="start")


def date_of(time: float) -> str:
    """Date and time in UTC of a mission elapsed time in seconds."""
    return str((_ZERO + TimeDelta(time, format="sec")).utc.isot)
