"""Official files that stand behind the background of the LAT."""

from __future__ import annotations

from collections.abc import Sequence

INTERSTELLAR = "gll_iem_v07.fits"
"""Interstellar emission for Pass 8."""
_ISOTROPIC_VERSIONS = {"P8R2": "v06", "P8R3": "v1"}
"""Version of the isotropic templates of each release of the photons."""
_ALL = "FRONT+BACK"


def background_files(irf: str, event_types: Sequence[str]) -> tuple[str, ...]:
    """Names of the official files of interstellar and isotropic emission.

    Parameters
    ----------
    irf : str
        Such as P8R3_SOURCE_V3.
    event_types : sequence of str
        Event types of each channel, joined by ``+``.
    """
    version = _ISOTROPIC_VERSIONS.get(irf.split("_")[0])
    if version is None:
        return (INTERSTELLAR,)
    parts = [
        "" if part == _ALL else f"_{part}"
        for types in event_types
        for part in ([types] if types == _ALL else types.split("+"))
    ]
    return (INTERSTELLAR, *(f"iso_{irf}{part}_{version}.txt" for part in dict.fromkeys(parts)))
