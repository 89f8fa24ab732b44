"""When files of photons or counts observed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gammafind.sky.fits.facts import FileFacts
from gammafind.sky.fits.good_times import merged

_FEWEST, _EMPTY = 10, 10.0
"""Photons from which their times count, and the empty time at the ends in mean gaps of photons:
by chance it is longer once in 2,000 lists."""


def observed_times(files: Sequence[FileFacts]) -> np.ndarray | None:
    """Times in which files observed, as far as they say it.

    Parameters
    ----------
    files : sequence of FileFacts
        Photon lists or count maps.

    Returns
    -------
    ndarray or None
        Good time intervals or, where a file has none, the time from TSTART to TSTOP, or from the
        first to the last photon; merged and sorted, shape (n, 2), in s of the mission elapsed time.
        None if a file gives no time.
    """
    found = [_times_of(file) for file in files]
    if not found or any(times is None for times in found):
        return None
    return with_photons(merged(np.concatenate(found)), files)


def with_photons(intervals: np.ndarray, files: Sequence[FileFacts]) -> np.ndarray:
    """Intervals in which photons were seen: a list of one week may keep the GTIs of years."""
    seen = [file.photons for file in files if file.photons and file.photons.times]
    number = sum(one.number for one in seen)
    if len(seen) < len(files) or number < _FEWEST:
        return intervals
    first, last = min(one.times[0] for one in seen), max(one.times[1] for one in seen)
    span = intervals[-1, 1] - intervals[0, 0]
    if last - first > span * (1 - _EMPTY / number):
        return intervals
    inside = np.clip(intervals, first, last)
    inside = inside[inside[:, 1] > inside[:, 0]]
    return inside if len(inside) else intervals


def _times_of(file: FileFacts) -> np.ndarray | None:
    if file.good_times is not None:
        return file.good_times
    span = file.span or (file.photons.times if file.photons else None)
    return None if span is None or not span[1] > span[0] else np.array([span], dtype=float)
