"""What the header of an image says of the exposure, beside the options of the camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

__all__ = ["KEYWORDS", "contradictions"]

KEYWORDS = ("EXPTIME", "FILTER")
_TOLERANCE = 0.01
"""Share by which an exposure time may differ: shutters are not exact."""


def contradictions(
    keywords: Mapping[str, object], *, exposure_time: float, band: str
) -> Iterator[str]:
    """Yield what a header says otherwise than the options of a camera.

    A value that is no number, or no name, contradicts nothing.

    Parameters
    ----------
    keywords : mapping of str to object
        Values of `KEYWORDS`, as far as the header has them.
    exposure_time : float
        Of the options, in seconds.
    band : str
        Name of the filter of the options. Case matters: R is another filter than r.

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
