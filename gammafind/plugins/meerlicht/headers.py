"""Comparison of the header of an image with the options of the camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

KEYWORDS = ("EXPTIME", "FILTER")
_TOLERANCE = 0.01
"""Relative difference of equal exposure times: shutters are not exact."""


def contradictions(
    keywords: Mapping[str, object], *, exposure_time: float, band: str
) -> Iterator[str]:
    """Yield the differences between a header and the options of a camera.

    A value that is not a number, or not a name, is ignored.

    Parameters
    ----------
    keywords : mapping of str to object
        Values of `KEYWORDS`, as far as the header has them.
    exposure_time : float
        Exposure time of the options, in seconds.
    band : str
        Name of the filter of the options. Case matters: R and r are different filters.

    Yields
    ------
    str
        Both values, and the name of the option.
    """
    seconds = _number(keywords.get("EXPTIME"))
    if seconds is not None and not abs(seconds - exposure_time) <= _TOLERANCE * exposure_time:
        yield f"EXPTIME is {seconds:g} s, the option renderer.exposure_time {exposure_time:g} s"
    name = keywords.get("FILTER")
    if isinstance(name, str) and name.strip() not in ("", band):
        yield f"FILTER is {name.strip()}, the option renderer.filter {band}"


def _number(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
