"""What a person says of epochs becomes begins and ends: a length, a number, dates, or a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from os import PathLike, fspath
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.time import Time
from astropy.units import Quantity

from gammafind.errors import FileFormatError, MissingFileError, OptionError
from gammafind.sky.fits.good_times import mission_seconds
from gammafind.utils.files import check_input
from gammafind.utils.reading import reading

OneTime = str | float | Time | Quantity
Times = str | int | PathLike | Quantity | Time | Sequence[OneTime]
"""Epochs as a person gives them; see `epoch_spans`."""

_MOST = 3000
"""Epochs at most: sixteen years of two days each; a mistaken unit would give millions."""
_WHOLE = re.compile(r"\s*-?[0-9]{1,18}\s*")
"""A number of epochs, and not a longer one that Python would not read."""
_LARGEST = 1 << 20
"""Bytes of a file of epochs: ten times what the most of them need."""
_SHORT = 0.5
"""Share of a length below which the rest of the time belongs to the epoch before."""
_WAYS = "Give a length such as 30d, a number of equal parts, two or more times, or a file of them."


def are_times(epochs: object) -> bool:
    """Whether epochs are given by their times: all but a list of files or of lists of files."""
    if isinstance(epochs, str | PathLike | int | Quantity | Time | np.ndarray):
        return True
    if not isinstance(epochs, Iterable):
        return False
    listed = list(epochs)
    return bool(listed) and all(_is_time(one) for one in listed)


def epoch_spans(epochs: Times, times: np.ndarray) -> np.ndarray:
    """Begin and end of each epoch.

    Parameters
    ----------
    epochs : str, int, path-like, Quantity, Time or sequence
        A length (``"30d"``); a number of equal parts (``10``); times between which the epochs lie,
        as dates (UTC) or mission elapsed times; or a file with a time in each line, or a begin and
        an end, between which there may be gaps.
    times : ndarray, shape (n, 2)
        When the photons were observed: begin and end of each interval in seconds of the mission
        elapsed time, sorted.

    Returns
    -------
    ndarray, shape (n_epochs, 2)
        In s. Epochs of one length begin with the first interval; a rest of less than half of it
        belongs to the last one.

    Raises
    ------
    OptionError
        If times do not increase, epochs overlap, there are too many, or none is in the observed
        time.
    InputFileError
        If a file cannot be read.
    """
    # The last photon is in the last epoch.
    first, last = float(times[0, 0]), float(np.nextafter(times[-1, 1], np.inf))
    spans = _spans(_alone(epochs), first, last)
    if not len(spans):
        raise OptionError("there is no epoch", remedy=_WAYS)
    if np.any(spans[:, 1] <= spans[:, 0]) or np.any(spans[1:, 0] < spans[:-1, 1]):
        raise OptionError(
            f"epochs are {_shown(epochs)}",
            remedy="Give times that increase, of epochs that do not overlap.",
        )
    if spans[-1, 1] <= first or spans[0, 0] >= last:
        raise OptionError(
            f"no epoch of {_shown(epochs)} is in the time of the photons, {first:.0f} to "
            f"{last:.0f} s",
            remedy="Give times in s of the mission elapsed time, or dates.",
        )
    return spans


def checked_times(texts: Sequence[str]) -> Times:
    """Epochs of a command line: the only text, or several that are all times.

    Raises
    ------
    OptionError
        If one of several is no time.
    """
    if len(texts) > 1 and not are_times(texts):
        raise OptionError(f"epochs are {_shown(list(texts))}", remedy=_WAYS)
    return texts[0] if len(texts) == 1 else list(texts)


def _alone(epochs: Times) -> Times:
    """The only one of a sequence, as a command line gives it."""
    plural = isinstance(epochs, list | tuple) and len(epochs) == 1
    return epochs[0] if plural else epochs


def _spans(epochs: Times, first: float, last: float) -> np.ndarray:
    number = _number(epochs)
    if number is not None:
        return _equal_parts(number, first, last)
    length = _length(epochs)
    if length is not None:
        return _of_length(length, first, last)
    if isinstance(epochs, PathLike) or (isinstance(epochs, str) and not _is_time(epochs)):
        return _of_file(Path(epochs))
    values = np.atleast_1d(epochs.to_value(u.s)) if isinstance(epochs, Quantity) else None
    if values is not None and values.ndim == 2 and values.shape[1] == 2:
        return values.astype(float)
    listed = epochs if isinstance(epochs, Quantity | Time | Sequence) else [epochs]
    listed = [listed] if isinstance(listed, str) or np.ndim(listed) == 0 else listed
    edges = [_seconds(one) for one in listed]
    if len(edges) < 2:
        raise OptionError(f"epochs are {_shown(epochs)}", remedy=_WAYS)
    return np.array(list(pairwise(edges)))


def _equal_parts(number: int, first: float, last: float) -> np.ndarray:
    _check_number(number)
    return np.array(list(pairwise(np.linspace(first, last, number + 1).tolist())))


def _of_length(length: float, first: float, last: float) -> np.ndarray:
    if not (np.isfinite(length) and length > 0):
        raise OptionError(f"epochs of {length:g} s", remedy="Give a positive length.")
    number = (last - first) / length
    _check_number(number)
    edges = first + length * np.arange(int(number) + 1)
    if last - edges[-1] >= _SHORT * length or len(edges) == 1:
        edges = np.append(edges, last)
    elif last > edges[-1]:
        edges[-1] = last
    return np.array(list(pairwise(edges.tolist())))


def _check_number(number: float) -> None:
    if not 1 <= number <= _MOST and not 0 < number < 1:
        raise OptionError(f"{number:.0f} epochs", remedy=f"Give 1 to {_MOST}.")


def _number(epochs: Times) -> int | None:
    if isinstance(epochs, bool):
        raise OptionError(f"epochs are {epochs}", remedy=_WAYS)
    if isinstance(epochs, str):
        return int(epochs) if _WHOLE.fullmatch(epochs) else None
    return int(epochs) if isinstance(epochs, int | np.integer) else None


def _length(epochs: Times) -> float | None:
    """Seconds of a length; None if it is none."""
    if isinstance(epochs, str):
        if _seconds_or_none(epochs) is not None:
            return None
        try:
            epochs = Quantity(epochs)
        except (TypeError, ValueError):
            return None
        if epochs.unit == u.dimensionless_unscaled:
            return None
    if not isinstance(epochs, Quantity) or epochs.ndim:
        return None
    try:
        return float(epochs.to_value(u.s))
    except u.UnitConversionError:
        raise OptionError(f"epochs are {epochs}, which is no time", remedy=_WAYS) from None


def _of_file(path: Path) -> np.ndarray:
    try:
        check_input(path)
    except MissingFileError as error:
        fault = f"epochs are neither times nor a file that can be read ({error.fault})"
        raise MissingFileError(fault, path=error.path, remedy=_WAYS) from None
    try:
        lines = [line.partition("#")[0].replace(",", " ").split() for line in _lines(path)]
        rows = [[_seconds(one) for one in line] for line in lines if line]
    except OptionError as error:
        raise FileFormatError(error.fault, path=path, remedy=error.remedy) from None
    widths = {len(row) for row in rows}
    if not rows or widths - {1, 2} or len(widths) > 1 or (widths == {1} and len(rows) < 2):
        raise FileFormatError(
            "this is no list of epochs",
            path=path,
            remedy="Write one time a line, two lines or more, or a begin and an end a line.",
        )
    if len(rows) > _MOST:
        raise FileFormatError(f"{len(rows)} epochs", path=path, remedy=f"Give 1 to {_MOST}.")
    return np.array(rows if widths == {2} else list(pairwise([row[0] for row in rows])))


def _lines(path: Path) -> list[str]:
    with reading(path, "the epochs cannot be read as text"):
        if path.stat().st_size > _LARGEST:
            raise FileFormatError("the file is too large for epochs", path=path, remedy=_WAYS)
        return path.read_text(encoding="utf-8").splitlines()


def _seconds(time: OneTime) -> float:
    found = _seconds_or_none(time)
    return mission_seconds(time, name="a time of the epochs") if found is None else found


def _seconds_or_none(time: object) -> float | None:
    """Mission elapsed time of a date or a number; None of what is none."""
    if isinstance(time, int | float | np.number) and not isinstance(time, bool):
        return float(time) if np.isfinite(time) else None
    if isinstance(time, str):
        try:
            value = float(time)
        except ValueError:
            value = np.nan
        if np.isfinite(value):
            return value
    if not isinstance(time, str | Time | Quantity):
        return None
    try:
        return mission_seconds(time)
    except (OptionError, u.UnitConversionError):
        return None


def _is_time(one: object) -> bool:
    return _seconds_or_none(one) is not None


def _shown(epochs: Times) -> str:
    """Epochs for a message of one line."""
    if isinstance(epochs, list | tuple):
        texts = [str(one) for one in epochs]
        return ", ".join(texts[:4]) + (", ..." if len(texts) > 4 else "")
    return fspath(epochs) if isinstance(epochs, PathLike) else " ".join(str(epochs).split())[:80]
