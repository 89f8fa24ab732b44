"""Angles as text: degrees, or hours and degrees with minutes and seconds."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_FORM = re.compile(
    rf"([+-]?)\s*{_NUMBER}\s*([hd°:]|\s)\s*{_NUMBER}\s*(?:[m'′:]|\s|$)\s*(?:{_NUMBER}\s*[s\"″]?)?",
    re.IGNORECASE,
)
_DASHES = str.maketrans({"−": "-", "–": "-", "—": "-", "º": "°", "’": "'", "”": '"'})
_MISSING = ("", "-", "--", "---", "nan", "null", "none", "n/a", "...")
_DEGREES_PER_HOUR = 15.0


def angles_of_texts(texts: Sequence[str], *, hours: bool) -> np.ndarray:
    """Read angles.

    Parameters
    ----------
    texts : sequence of str, length n
        Such as ``05 34 31.94``, ``+22:00:52.2``, ``5h34m31.94s``, ``83d37m59s`` or ``83.633``, the
        last of which is in degrees. Empty texts are missing.
    hours : bool
        Whether the first of several numbers is in hours where the text does not say it.

    Returns
    -------
    ndarray, shape (n,)
        In degrees; NaN where an angle is missing.

    Raises
    ------
    ValueError
        If a text is no angle.
    """
    return np.array([_angle(str(text), hours) for text in texts], dtype=float)


def _angle(text: str, hours: bool) -> float:
    clean = text.translate(_DASHES).strip()
    if clean.casefold() in _MISSING:
        return np.nan
    match = _FORM.fullmatch(clean)
    if match is None:
        return float(clean.rstrip("°"))
    sign, first, mark, minutes, seconds = match.groups()
    parts = float(first), float(minutes), float(seconds or 0)
    if parts[1] > 60 or parts[2] > 60:
        raise ValueError(f"{text!r} has more than 60 minutes or seconds")
    in_hours = mark in "hH" or (hours and mark not in "dD°")
    value = parts[0] + parts[1] / 60 + parts[2] / 3600
    return (-value if sign == "-" else value) * (_DEGREES_PER_HOUR if in_hours else 1.0)
