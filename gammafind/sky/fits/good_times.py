"""Good time intervals (GTI) of photon lists, count maps and livetime cubes."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.time import Time
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.sky.fits.opening import open_fits
from gammafind.utils.files import several

_ZERO = Time("2001-01-01", scale="utc").tt
"""Begin of the mission elapsed time of the LAT."""


def mission_seconds(time: str | Time | Quantity, *, name: str = "time") -> float:
    """Mission elapsed time in seconds of a date (UTC if it is a text), or of that time itself.

    Parameters
    ----------
    time : str, Time or Quantity
    name : str
        Of the option, for messages.

    Raises
    ------
    OptionError
        If it is no date.
    """
    if isinstance(time, Quantity):
        return float(time.to_value(u.s))
    try:
        date = time if isinstance(time, Time) else Time(time, scale="utc")
    except (ValueError, TypeError):
        raise OptionError(
            f"{name} is {time!r}",
            remedy="Write a date such as 2008-08-04 or 2014-08-07T02:48:00.",
        ) from None
    return float((date.tt - _ZERO).to_value(u.s))


def mission_date(seconds: float) -> str:
    """Date (UTC) of a mission elapsed time in seconds, to the second."""
    date = (_ZERO + seconds * u.s).utc
    date.precision = 0
    return date.isot


def gti_table(intervals: np.ndarray) -> fits.BinTableHDU:
    """Table ``GTI`` of intervals of shape (n, 2)."""
    columns = [
        fits.Column(name, "D", unit="s", array=intervals[:, i])
        for i, name in enumerate(("START", "STOP"))
    ]
    table = fits.BinTableHDU.from_columns(columns, name="GTI")
    table.header.update(HDUCLASS="OGIP", HDUCLAS1="GTI", ONTIME=good_time(intervals))
    return table


def common(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection of merged intervals, each of shape (n, 2)."""
    edges = np.unique(np.concatenate([one.ravel(), other.ravel()]))
    low, high = edges[:-1], edges[1:]
    inside = is_good(one, (low + high) / 2) & is_good(other, (low + high) / 2)
    return merged(np.stack([low[inside], high[inside]], axis=1)) if inside.any() else one[:0]


def read_good_times(paths: Sequence[str | PathLike] | str | PathLike) -> np.ndarray | None:
    """Good time intervals of files together, merged and sorted.

    Parameters
    ----------
    paths : sequence of path-like
        FITS files with a table ``GTI`` (columns ``START`` and ``STOP``).

    Returns
    -------
    ndarray or None
        Shape (n, 2), in seconds of the mission elapsed time; None if a file has no such table, or
        none that can be used.

    Raises
    ------
    InputFileError
        If a file cannot be opened.
    """
    found = []
    for path in several(paths):
        with open_fits(path) as file:
            intervals = file_good_times(file)
        if intervals is None:
            return None
        found.append(intervals)
    return merged(np.concatenate(found))


def file_good_times(file: fits.HDUList) -> np.ndarray | None:
    """Intervals of an open file, merged and sorted, shape (n, 2); None without a usable table."""
    found = [intervals for hdu in file if (intervals := _intervals(hdu)) is not None]
    return merged(np.concatenate(found)) if found else None


def merged(intervals: np.ndarray) -> np.ndarray:
    """Union of intervals of shape (n, 2), sorted."""
    start, stop = intervals[np.argsort(intervals[:, 0], kind="stable")].T
    reach = np.maximum.accumulate(stop)
    new = np.concatenate([[True], start[1:] > reach[:-1]])
    last = np.append(np.flatnonzero(new)[1:] - 1, len(start) - 1)
    return np.stack([start[new], reach[last]], axis=1)


def good_time(intervals: np.ndarray) -> float:
    """Total length of merged intervals in seconds."""
    return float(np.diff(intervals, axis=1).sum())


def good_time_within(intervals: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Good time between ``start`` and ``stop`` of each row, in seconds.

    Parameters
    ----------
    intervals : ndarray, shape (n, 2)
        Merged and sorted.
    start, stop : ndarray, shape (m,)

    Returns
    -------
    ndarray, shape (m,)
    """
    edges = intervals.ravel()
    passed = np.zeros(len(edges))
    passed[1::2] = np.cumsum(np.diff(intervals, axis=1).ravel())
    passed[2::2] = passed[1:-1:2]
    return np.interp(stop, edges, passed) - np.interp(start, edges, passed)


def is_good(intervals: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Whether times are in merged and sorted intervals, from START up to STOP."""
    row = np.searchsorted(intervals[:, 0], time, side="right") - 1
    return (row >= 0) & (time <= intervals[np.maximum(row, 0), 1])


def _intervals(hdu: fits.hdu.base._BaseHDU) -> np.ndarray | None:
    """Intervals of one HDU; None if it is no table of them, or a damaged one."""
    named = "GTI" in hdu.name or str(hdu.header.get("HDUCLAS1", "")).strip() == "GTI"
    if not named or not isinstance(hdu, fits.BinTableHDU) or hdu.data is None:
        return None
    names = {name.upper(): name for name in hdu.columns.names}
    if not {"START", "STOP"} <= set(names):
        return None
    columns = [np.asarray(hdu.data[names[name]]) for name in ("START", "STOP")]
    if any(column.ndim != 1 or column.dtype.kind not in "iuf" for column in columns):
        return None
    zero = hdu.header.get("TIMEZERO", 0.0)
    offset = float(zero) if isinstance(zero, int | float) else 0.0
    intervals = np.stack(columns, axis=1).astype(float) + offset
    good = np.isfinite(intervals).all(axis=1) & (intervals[:, 1] > intervals[:, 0])
    return intervals[good] if good.any() else None
